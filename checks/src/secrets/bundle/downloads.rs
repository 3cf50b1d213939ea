//! What a page makes a browser download, for whoever reads the same files for another reason.

use url::Url;

use super::crawl::What;
use super::{links, references};

/// What a page leads a browser to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downloads {
    /// The scripts that it loads or names, wherever they are.
    pub scripts: Vec<Url>,
    /// Links to pages that have scripts of their own: sign-in, checkout and the like.
    pub pages: Vec<Url>,
}

/// What a page leads to; `url` is its own address.
pub fn of_page(html: &str, url: &Url) -> Downloads {
    let mut found = Downloads::default();
    for job in links::of_page(html, url) {
        let list = if job.what == What::Page { &mut found.pages } else { &mut found.scripts };
        if !list.contains(&job.url) {
            list.push(job.url);
        }
    }
    found
}

/// The scripts that a script names; `url` is its own address.
pub fn of_script(bytes: &[u8], url: &Url) -> Vec<Url> {
    references::scripts(bytes, url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_core_pages_are_told_apart_and_named_once() {
        let url = Url::parse("https://harbor.example/").unwrap();
        let page = "<script src=/a.js></script><script src=/a.js></script><a href=/login>x</a>";
        let found = of_page(page, &url);
        assert_eq!(found.scripts, [url.join("/a.js").unwrap()]);
        assert_eq!(found.pages, [url.join("/login").unwrap()]);
        let more = of_script(b"import('./b.js')", &url.join("/x/a.js").unwrap());
        assert_eq!(more, [url.join("/x/b.js").unwrap()]);
    }
}
