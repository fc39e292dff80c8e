// Time limits for what may never answer.

export const TIMED_OUT = 2;

/** What `begin` gives, if it does so in time; a rejection otherwise. Nothing is left behind: a late answer is dropped. */
export async function within(milliseconds, begin) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, milliseconds, TIMED_OUT);
  });
  try {
    return await Promise.race([begin(), late]);
  } finally {
    clearTimeout(timer);
  }
}
