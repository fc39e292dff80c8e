//! Rules with their tries, and the choice of one of them.

use std::cmp::Ordering;

use crate::order;
use crate::request::Method;

use super::reading::{is_plain, readings};
use super::trie::Node;
use super::{AmbiguousReading, Rule};

/// Rules for one kind of request, and the one that holds where none was written.
#[derive(Clone, Debug)]
pub(super) struct Table {
    rules: Vec<Rule>,
    default: Rule,
    /// Sorted by host.
    hosts: Vec<(String, Tries)>,
    any_host: Tries,
    /// Whether both tries of each pair are the same.
    is_lower_case: bool,
}

/// The same rules twice: for readings with letter case and without.
#[derive(Clone, Debug, Default)]
struct Tries {
    exact: Node,
    folded: Node,
}

impl Table {
    pub(super) fn new(rules: Vec<Rule>, default: Rule) -> Self {
        let mut hosts: Vec<(String, Tries)> = Vec::new();
        let mut any_host = Tries::default();
        for (position, rule) in rules.iter().enumerate() {
            match &rule.host {
                None => any_host.insert(position, rule),
                Some(host) => match hosts.iter_mut().find(|(own, _)| own == host) {
                    Some((_, tries)) => tries.insert(position, rule),
                    None => {
                        let mut tries = Tries::default();
                        tries.insert(position, rule);
                        hosts.push((host.clone(), tries));
                    }
                },
            }
        }
        order::sort_by(&mut hosts, |(one, _), (other, _)| one.cmp(other));
        let is_lower_case = rules.iter().all(|rule| rule.pattern.is_lower_case());
        Self { rules, default, hosts, any_host, is_lower_case }
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn names_host(&self, host: &str) -> bool {
        self.for_host(host).is_some()
    }

    pub(super) fn find(
        &self,
        host: &str,
        method: Method,
        path: &str,
        ignores_case: bool,
    ) -> Result<&Rule, AmbiguousReading> {
        if self.rules.is_empty() {
            return Ok(&self.default);
        }
        let for_host = self.for_host(host);
        let choose = |path: &[u8], is_folded| {
            let of_host = for_host.and_then(|tries| tries.find(path, method, is_folded));
            of_host.or_else(|| self.any_host.find(path, method, is_folded))
        };
        let chosen = choose(path.as_bytes(), ignores_case);
        let is_unanimous = |path: &[u8]| choose(path, ignores_case) == chosen && choose(path, true) == chosen;
        let is_sure = if !is_plain(path) {
            readings(path).is_some_and(|readings| readings.iter().all(|reading| is_unanimous(reading)))
        } else if self.is_lower_case && !path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true
        } else {
            choose(path.as_bytes(), true) == chosen
        };
        if !is_sure {
            return Err(AmbiguousReading);
        }
        Ok(chosen.and_then(|position| self.rules.get(position)).unwrap_or(&self.default))
    }

    /// Every reading of the path that [`Table::find`] asks about, with its rule.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn readings(
        &self,
        host: &str,
        method: Method,
        path: &str,
        ignores_case: bool,
    ) -> Option<Vec<(Vec<u8>, &Rule)>> {
        let for_host = self.for_host(host);
        let mut found = Vec::new();
        for reading in readings(path)? {
            for is_folded in [ignores_case, true] {
                let of_host = for_host.and_then(|tries| tries.find(&reading, method, is_folded));
                let position = of_host.or_else(|| self.any_host.find(&reading, method, is_folded));
                let rule = position.and_then(|position| self.rules.get(position)).unwrap_or(&self.default);
                found.push((if is_folded { reading.to_ascii_lowercase() } else { reading.clone() }, rule));
            }
        }
        Some(found)
    }

    fn for_host(&self, host: &str) -> Option<&Tries> {
        let compare = |own: &str| -> Ordering { own.bytes().cmp(host.bytes().map(|byte| byte.to_ascii_lowercase())) };
        let position = self.hosts.binary_search_by(|(own, _)| compare(own)).ok()?;
        self.hosts.get(position).map(|(_, tries)| tries)
    }
}

impl Tries {
    fn insert(&mut self, position: usize, rule: &Rule) {
        self.exact.insert(position, rule, false);
        self.folded.insert(position, rule, true);
    }

    fn find(&self, path: &[u8], method: Method, is_folded: bool) -> Option<usize> {
        let trie = if is_folded { &self.folded } else { &self.exact };
        trie.find(path, method, is_folded)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::{Access, End, Methods, Pattern, Rules, Segment};
    use super::*;

    const METHODS: [Method; 4] = [Method::Get, Method::Head, Method::Post, Method::Other];

    fn rule(path: &str, access: Access) -> Rule {
        let pattern = Pattern::parse(path).unwrap_or_else(|| panic!("{path}"));
        Rule { pattern, ..Rule::without_conditions(path, access) }
    }

    fn with_methods(names: &[&str], rule: Rule) -> Rule {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Rule { methods: Methods::parse(&names), name: format!("{} {}", names.join(" "), rule.name), ..rule }
    }

    fn on_host(host: &str, rule: Rule) -> Rule {
        Rule { host: Some(host.to_owned()), name: format!("{host}{}", rule.name), ..rule }
    }

    fn rules(rules: Vec<Rule>) -> Rules {
        Rules::new(rules, Vec::new(), false)
    }

    fn open(paths: &[&str]) -> Rules {
        rules(paths.iter().map(|path| rule(path, Access::Anonymous)).collect())
    }

    fn found(rules: &Rules, path: &str) -> String {
        rules.find("app.example", Method::Get, path).map_or("ambiguous".to_owned(), |rule| rule.name.clone())
    }

    #[test]
    fn without_a_rule_everything_needs_a_sign_in() {
        let none = rules(Vec::new());
        for path in ["/", "/a", "/a/..;/b", "//"] {
            assert_eq!(none.find("", Method::Get, path).unwrap().access, Access::Login);
            assert_eq!(none.find_api("", Method::Get, path).unwrap().access, Access::Api);
        }
        assert_eq!(open(&["/docs"]).find("", Method::Get, "/other").unwrap().access, Access::Login);
    }

    #[test]
    fn the_most_specific_path_wins() {
        let rules = open(&["/**", "/a", "/a/**", "/a/*", "/a/b", "/a/*/c", "/a/b/*", "/a/b/**", "/*/x/y", "/"]);
        for (path, expected) in [
            ("/", "/"),
            ("/z", "/**"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a/b", "/a/b"),
            ("/a/q", "/a/*"),
            ("/a/q/", "/a/*"),
            ("/a/b/c", "/a/b/*"),
            ("/a/b/c/d", "/a/b/**"),
            ("/a/q/c", "/a/*/c"),
            ("/a/q/d", "/a/**"),
            ("/a/x/y", "/a/**"),
            ("/q/x/y", "/*/x/y"),
            ("/q/x/y/z", "/**"),
            ("/ab", "/**"),
        ] {
            assert_eq!(found(&rules, path), expected, "{path}");
        }
    }

    #[test]
    fn a_star_is_one_segment_that_is_not_empty() {
        let rules = open(&["/a/*", "/b/*/c"]);
        for path in ["/a", "/a/", "/b/c", "/a/b/c"] {
            assert_eq!(found(&rules, path), "default", "{path}");
        }
        for path in ["/b//c", "/a//", "//a/x"] {
            assert_ne!(found(&rules, path), "/b/*/c", "{path}");
        }
    }

    #[test]
    fn what_is_for_a_method_comes_before_what_is_for_all() {
        let rules = rules(vec![
            with_methods(&["GET"], rule("/a/b", Access::Anonymous)),
            with_methods(&["POST"], rule("/a/b", Access::Api)),
            rule("/a/*", Access::Optional),
            with_methods(&["DELETE"], rule("/a/*", Access::Api)),
            rule("/a/**", Access::Bearer),
        ]);
        for (method, path, expected) in [
            (Method::Get, "/a/b", "GET /a/b"),
            (Method::Head, "/a/b", "GET /a/b"),
            (Method::Post, "/a/b", "POST /a/b"),
            (Method::Put, "/a/b", "/a/*"),
            (Method::Delete, "/a/b", "DELETE /a/*"),
            (Method::Other, "/a/b", "/a/*"),
            (Method::Delete, "/a/b/c", "/a/**"),
        ] {
            assert_eq!(rules.find("", method, path).unwrap().name, expected, "{method:?} {path}");
        }
    }

    #[test]
    fn the_rules_of_a_host_come_first_and_a_host_is_compared_as_a_whole() {
        let rules = rules(vec![
            on_host("example.com", rule("/**", Access::Anonymous)),
            on_host("example.com:8443", rule("/a", Access::Optional)),
            on_host("example.com", with_methods(&["POST"], rule("/a", Access::Api))),
            rule("/a", Access::Login),
        ]);
        for (host, method, expected) in [
            ("example.com", Method::Get, "example.com/**"),
            ("EXAMPLE.com", Method::Get, "example.com/**"),
            ("example.com", Method::Post, "example.comPOST /a"),
            ("example.com:8443", Method::Get, "example.com:8443/a"),
            ("badexample.com", Method::Get, "/a"),
            ("sub.example.com", Method::Get, "/a"),
            (".example.com", Method::Get, "/a"),
            ("example.com.", Method::Get, "/a"),
            ("example.com:444", Method::Get, "/a"),
            ("example.com.evil.com", Method::Get, "/a"),
            ("", Method::Get, "/a"),
        ] {
            assert_eq!(rules.find(host, method, "/a").unwrap().name, expected, "{host} {method:?}");
        }
    }

    #[test]
    fn the_apis_have_rules_of_their_own() {
        let rules =
            Rules::new(vec![rule("/**", Access::Anonymous)], vec![rule("/api/Graph/admin/**", Access::Api)], false);
        assert_eq!(rules.find_api("", Method::Get, "/api/Graph/admin/x").unwrap().name, "/api/Graph/admin/**");
        assert_eq!(rules.find_api("", Method::Get, "/api/Graph/x").unwrap().access, Access::Api);
        assert_eq!(rules.find_api("", Method::Get, "/api/Graph/%61dmin/x").unwrap_err(), AmbiguousReading);
        assert_eq!(rules.find("", Method::Get, "/api/Graph/admin/x").unwrap().access, Access::Anonymous);
    }

    #[test]
    fn a_path_that_an_origin_could_take_for_another_is_refused() {
        let rules = rules(vec![
            rule("/**", Access::Anonymous),
            rule("/admin/**", Access::Login),
            rule("/open/*/secret", Access::Login),
            rule("/u/*", Access::Anonymous),
            rule("/u/*/admin", Access::Login),
        ]);
        for path in [
            "/%61dmin",
            "/%2561dmin",
            "/ADMIN/x",
            "//admin",
            "/admin;x=1",
            "/admin%3bx",
            "/admin%3fx",
            "/admin%23",
            "/admin.",
            "/admin%20",
            "/admin%2fx",
            "/x%2f..%2fadmin",
            "/x/..;/admin",
            "/%41dmin",
            "/open/a%3f%2fsecret",
            "/u/;x%2fadmin",
            "/u/a%2fadmin",
            "/%255C/admin",
        ] {
            assert_eq!(found(&rules, path), "ambiguous", "{path}");
        }
        for (path, expected) in [
            ("/My%20Files/Report.pdf", "/**"),
            ("/caf%C3%A9", "/**"),
            ("/admin/group%2Fproject", "/admin/**"),
            ("/admin/a;v=1//b", "/admin/**"),
            ("/admin/A%3FB", "/admin/**"),
        ] {
            assert_eq!(found(&rules, path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_explained_by_a_reading_for_each_rule() {
        let rules = rules(vec![rule("/**", Access::Anonymous), rule("/admin/**", Access::Login)]);
        let explained = |path: &str| {
            let readings = rules.readings("", Method::Get, path, false)?;
            Some(readings.into_iter().map(|(path, rule)| format!("{path} {}", rule.name)).collect::<Vec<_>>())
        };
        for (path, expected) in [
            ("/Admin/x", vec!["/Admin/x /**", "/admin/x /admin/**"]),
            ("/x/..%3b/b", vec![]),
            ("/%61dmin", vec!["/%61dmin /**", "/admin /admin/**"]),
            ("/admin/x", vec!["/admin/x /admin/**"]),
            ("/", vec!["/ /**"]),
        ] {
            let explained = explained(path);
            assert_eq!(explained.clone().unwrap_or_default(), expected, "{path}");
            assert_eq!(found(&rules, path) == "ambiguous", explained.is_none_or(|readings| readings.len() > 1));
        }
    }

    #[test]
    fn a_reading_that_keeps_letter_case_counts_too() {
        // As it is, and decoded in lower case, the path belongs to the first rule; decoded alone, to the second.
        let rules = rules(vec![rule("/*/b/**", Access::Anonymous), rule("/*/*/b", Access::Login)]);
        for (path, expected) in [("/x%2fB/b", "ambiguous"), ("/x%2fb/b", "/*/b/**"), ("/x/q/b", "/*/*/b")] {
            assert_eq!(found(&rules, path), expected, "{path}");
        }
    }

    #[test]
    fn letter_case_matters_unless_the_origin_ignores_it() {
        let written = vec![rule("/Docs/**", Access::Anonymous), rule("/docs2", Access::Anonymous)];
        let rules = Rules::new(written.clone(), Vec::new(), false);
        for (path, expected) in [
            ("/Docs/x", "/Docs/**"),
            ("/Docs/X", "/Docs/**"),
            ("/docs/x", "ambiguous"),
            ("/DOCS", "ambiguous"),
            ("/docs2", "/docs2"),
            ("/Docs2", "ambiguous"),
        ] {
            assert_eq!(found(&rules, path), expected, "{path}");
        }
        let rules = Rules::new(written, Vec::new(), true);
        for (path, expected) in
            [("/docs/x", "/Docs/**"), ("/DOCS", "/Docs/**"), ("/Docs2", "/docs2"), ("/x", "default")]
        {
            assert_eq!(found(&rules, path), expected, "{path}");
        }
    }

    /// The precedence as the documentation states it, over all rules one by one.
    fn reference<'a>(rules: &'a [Rule], host: &str, method: Method, path: &str, is_folded: bool) -> Option<&'a Rule> {
        let fold = |text: &str| if is_folded { text.to_ascii_lowercase() } else { text.to_owned() };
        let path = fold(path);
        let inner = path.strip_prefix('/').unwrap();
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let segments: Vec<&str> = if path == "/" { Vec::new() } else { inner.split('/').collect() };
        let is_match = |rule: &&Rule| {
            let own = rule.pattern.segments();
            let is_long_enough = match rule.pattern.end() {
                End::Exact => own.len() == segments.len(),
                End::Prefix => own.len() <= segments.len(),
            };
            let is_equal = own.iter().zip(&segments).all(|(own, segment)| match own {
                Segment::Any => !segment.is_empty(),
                Segment::Literal(literal) => fold(literal) == *segment,
            });
            let has_method = rule.methods.is_none_or(|methods| methods.contains(method));
            is_long_enough && is_equal && has_method && rule.host.as_ref().is_none_or(|own| own == host)
        };
        rules.iter().filter(is_match).min_by_key(|rule| {
            let mut rank: Vec<u8> =
                rule.pattern.segments().iter().map(|segment| u8::from(*segment == Segment::Any)).collect();
            if rule.pattern.end() == End::Prefix {
                rank.push(2);
            }
            (rule.host.is_none(), rank, rule.pattern.end() == End::Prefix, rule.methods.is_none())
        })
    }

    fn random_rules() -> impl Strategy<Value = Vec<Rule>> {
        let access = select(vec![Access::Anonymous, Access::Optional, Access::Login]);
        let methods = select(vec![&[][..], &["GET"], &["POST"]]);
        let host = select(vec![None, Some("h.example")]);
        let one = ("(/[abB*]){0,4}", any::<bool>(), access, methods, host);
        vec(one, 0..14).prop_map(|many| {
            let mut rules: Vec<Rule> = Vec::new();
            for (path, is_prefix, access, methods, host) in many {
                let path = if is_prefix {
                    format!("{path}/**")
                } else if path.is_empty() {
                    "/".to_owned()
                } else {
                    path
                };
                let rule = rule(&path, access);
                let rule = if methods.is_empty() { rule } else { with_methods(methods, rule) };
                let rule = match host {
                    Some(host) => on_host(host, rule),
                    None => rule,
                };
                // As configuration has it: no two for the same requests, no two that differ by letter case only.
                let folded = |rule: &Rule| rule.pattern.to_string().to_ascii_lowercase();
                let is_new = rules.iter().all(|other| {
                    other.host != rule.host
                        || folded(other) != folded(&rule)
                        || (other.pattern == rule.pattern && other.methods != rule.methods)
                });
                if is_new {
                    rules.push(rule);
                }
            }
            rules
        })
    }

    fn rank(access: Access) -> u8 {
        match access {
            Access::Anonymous => 0,
            Access::Optional => 1,
            Access::Api | Access::Bearer | Access::Login => 2,
        }
    }

    /// Writes a path in a way that some servers take for the same one.
    fn disguise(path: &str, choices: &[u8]) -> String {
        let mut disguised = String::new();
        for (position, letter) in path.chars().enumerate() {
            match (choices[position % choices.len()], letter) {
                (1, '/') if position > 0 => disguised.push_str("%2f"),
                (2, '/') => disguised.push_str("//"),
                (3, '/') if position > 0 => disguised.push_str(";x=1/"),
                (4, '/') if position > 0 => disguised.push_str("./"),
                (5, '/') if position > 0 => disguised.push_str("%252F"),
                (1 | 2, letter) if letter != '/' => disguised.push_str(&format!("%{:02x}", letter as u32)),
                (3, letter) if letter != '/' => disguised.push_str(&format!("%25{:02X}", letter as u32)),
                (4, letter) => disguised.push(letter.to_ascii_uppercase()),
                (_, letter) => disguised.push(letter),
            }
        }
        match choices[0] {
            6 => disguised + "%3fx",
            7 => disguised + ";x",
            8 => disguised + "%23",
            9 => disguised + "%20",
            _ => disguised,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_lookup_agrees_with_the_written_precedence(
            written in random_rules(),
            path in "(/[abB]?){1,5}",
            method in select(METHODS.to_vec()),
            host in select(vec!["h.example", "i.example"]),
            ignores_case: bool,
        ) {
            let rules = Rules::new(written.clone(), Vec::new(), ignores_case);
            let exact = reference(&written, host, method, &path, ignores_case).map(|rule| &rule.name);
            let folded = reference(&written, host, method, &path, true).map(|rule| &rule.name);
            match rules.find(host, method, &path) {
                Ok(found) => {
                    let expected = exact.map_or("default", |name| name.as_str());
                    prop_assert_eq!(&found.name, expected);
                    prop_assert_eq!(exact, folded);
                }
                Err(AmbiguousReading) => prop_assert!(exact != folded || path.contains("//")),
            }
        }

        #[test]
        fn a_disguise_is_the_same_rule_or_refused(
            written in random_rules(),
            path in "(/[abB]){1,4}",
            choices in vec(0_u8..10, 1..8),
        ) {
            let rules = rules(written);
            let disguised = disguise(&path, &choices);
            if let (Ok(plain), Ok(found)) =
                (rules.find("", Method::Get, &path), rules.find("", Method::Get, &disguised))
            {
                prop_assert!(rank(found.access) >= rank(plain.access), "{path} {disguised}");
                prop_assert_eq!(&found.name, &plain.name, "{} {}", path, disguised);
            }
        }
    }
}
