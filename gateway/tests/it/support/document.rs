//! `docs/openapi.json`, against which every answer of every test is held: its status is listed, and its code.

use std::sync::LazyLock;

use serde_json::Value;

use super::Response;

pub(crate) const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

static PARSED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());

/// What the HTTP server says by itself before an endpoint is asked.
const BEFORE_THE_ENDPOINTS: [u16; 4] = [400, 408, 431, 503];

/// Checks that this is an answer that the document has for the endpoint, if it is one of its endpoints.
pub(super) fn expect_in(method: &str, target: &str, response: &Response) {
    let path = target.split('?').next().unwrap_or_default();
    let Some(endpoint) = PARSED["paths"].get(path) else { return };
    let is_problem = response.header("content-type") == Some("application/problem+json");
    if !is_problem && BEFORE_THE_ENDPOINTS.contains(&response.status) {
        return;
    }
    let Some(operation) = endpoint.get(method.to_lowercase()) else {
        // A preflight is answered for every path.
        assert!(method == "OPTIONS" || [403, 405].contains(&response.status), "{method} {target}: {response:?}");
        return;
    };
    let listed = &operation["responses"][response.status.to_string()];
    assert!(listed.is_object(), "{method} {target}: the document does not list this status: {response:?}");
    if let Some(reference) = listed["$ref"].as_str().filter(|_| !response.body.is_empty()) {
        let listed = PARSED.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        let codes = &listed["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"];
        let code = response.problem_code();
        assert!(
            codes.as_array().unwrap().contains(&code.into()),
            "{method} {target}: not one of {codes}: {response:?}"
        );
    }
}
