//! The downstream APIs, `[vars.DownstreamApis.<Name>]`: where each is and which access token it gets.

use url::Url;

use crate::time::Lifetime;

use super::fault::Problem;
use super::section::Section;
use super::values::Range;
use super::{address, extra};

const EXAMPLE: &str = "https://api.example.com";
const LONGEST_NAME: usize = 64;
const SECTION: &str = "DownstreamApis";
const TIMEOUT: Range = Range { min: 1, max: 300, default: 30 };

/// One downstream API, served at `<ApiPath>/<name>/…`.
#[derive(Clone, Debug)]
pub struct Api {
    /// The name in its path, compared exactly.
    pub name: String,
    /// `BaseUrl` and `RelativePath` joined; its path has no trailing slash unless it is `/`.
    pub base_url: Url,
    /// `Scopes` of its access token; never empty.
    pub scopes: Vec<String>,
    /// `Resource` (RFC 8707) for its token requests; none by default.
    pub resource: Option<String>,
    /// `ExtraHeaderParameters` to set on its requests, sorted by name, in lower case; none by default.
    pub extra_headers: Vec<(String, String)>,
    /// `ExtraQueryParameters` to append to its requests' query, sorted by name; none by default.
    pub extra_query: Vec<(String, String)>,
    /// `TimeoutSeconds` until its answer begins; 30 s by default.
    pub timeout: Lifetime,
}

/// Reads every API, sorted by name; none is fine.
pub(super) fn read(root: &mut Section<'_>) -> Vec<Api> {
    let mut section = root.child(SECTION, SECTION);
    let names = section.names();
    let mut apis = Vec::new();
    for (position, name) in names.iter().enumerate() {
        if !is_name(name) {
            let rule = "have a name of up to 64 letters, digits, - and _ that begins with a letter or digit";
            section.fault(name, Problem::Invalid(rule, Some("DownstreamApis.Orders")));
        }
        if let Some(twin) = names.iter().take(position).find(|earlier| earlier.eq_ignore_ascii_case(name)) {
            section.fault(name, Problem::DiffersByCase(section.key(twin)));
        }
        let mut child = section.child(name, "DownstreamApis.<Name>");
        apis.extend(api(&mut child, name));
        child.finish();
    }
    section.finish();
    apis
}

fn api(section: &mut Section<'_>, name: &str) -> Option<Api> {
    let base = section.required("BaseUrl", "e.g. \"https://api.example.com\"", |text| address::base_url(text, EXAMPLE));
    let relative = section.parsed_or("RelativePath", "", address::relative_path);
    if !section.holds("Scopes") {
        section.missing("Scopes", "the scopes of the API's access token, e.g. \"User.Read\"");
    }
    let scopes = section.scopes("Scopes");
    let resource = section.parsed("Resource", address::resource);
    let timeout = section.seconds("TimeoutSeconds", &TIMEOUT);
    let extra_headers = extra::headers(section);
    let extra_query = extra::query(section, &[]);
    Some(Api {
        name: name.to_owned(),
        base_url: joined(base?, &relative?),
        scopes: scopes?,
        resource,
        extra_headers,
        extra_query,
        timeout: timeout?,
    })
}

fn joined(mut base: Url, relative: &str) -> Url {
    let path = format!("{}/{relative}", base.path().trim_end_matches('/'));
    base.set_path(path.trim_end_matches('/'));
    base
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
