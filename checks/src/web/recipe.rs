//! Where a response header is set at the platforms that founders use.

use serde::{Deserialize, Serialize};

use crate::probe::HttpAnswer;

/// The place that sets the headers of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stack {
    /// Vercel, also behind another edge.
    Vercel,
    /// Netlify.
    Netlify,
    /// Cloudflare, in front of its own Pages or of another server.
    Cloudflare,
    /// Anything else.
    #[default]
    Other,
}

impl Stack {
    /// Recognises the platform by its documented headers; Cloudflare may stand in front of others.
    pub(super) fn of(answer: &HttpAnswer) -> Self {
        let is = |name: &str, part: &str| {
            answer.header(name).is_some_and(|value| value.to_ascii_lowercase().contains(part))
        };
        if is("x-vercel-id", "") || is("server", "vercel") {
            Self::Vercel
        } else if is("x-nf-request-id", "") || is("server", "netlify") {
            Self::Netlify
        } else if is("cf-ray", "") || is("server", "cloudflare") {
            Self::Cloudflare
        } else {
            Self::Other
        }
    }

    /// How to send one header with every answer below `path`, which ends in a slash.
    pub(super) fn header(self, path: &str, name: &str, value: &str) -> String {
        let vercel = format!(
            "`{{ \"headers\": [{{ \"source\": \"{path}(.*)\", \"headers\": [{{ \"key\": \"{name}\", \
             \"value\": \"{value}\" }}] }}] }}`"
        );
        let file = format!("`{path}*` and, indented by two blanks, `{name}: {value}`");
        match self {
            Self::Vercel => format!(
                "Add {vercel} to vercel.json, or the same entry to headers() in next.config.js, and \
                 redeploy."
            ),
            Self::Netlify => format!(
                "Add the two lines {file} to the file _headers in the publish folder (public/_headers \
                 in most projects), and redeploy."
            ),
            Self::Cloudflare => format!(
                "On Cloudflare Pages, add the two lines {file} to public/_headers and redeploy. In \
                 front of another server, open Rules → Transform Rules → Modify Response Header and \
                 set `{name}` to `{value}`."
            ),
            Self::Other => format!(
                "Send `{name}: {value}` with every answer below {path}. In nginx that is an add_header \
                 line that ends in `always`; on Netlify and Cloudflare Pages a line below `{path}*` in \
                 public/_headers; on Vercel an entry under \"headers\" in vercel.json."
            ),
        }
    }

    /// How a header of [`Self::header`] is taken back.
    pub(super) fn undo(self, name: &str) -> String {
        match self {
            Self::Vercel => format!("Take the {name} entry out of vercel.json and redeploy."),
            Self::Netlify => format!("Take the {name} line out of _headers and redeploy."),
            Self::Cloudflare | Self::Other => {
                format!("Take the {name} line or rule out again and redeploy.")
            }
        }
    }
}
