-- For wrk: requests that differ in their address and their cookie, one after the other and then from the start. The file
-- that is named after the URL has `<path> TAB <cookie>` of each on a line.

local requests = {}
local last = 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local path, cookie = line:match("^([^\t]*)\t(.*)$")
    wrk.headers["cookie"] = cookie
    requests[#requests + 1] = wrk.format(nil, path)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
