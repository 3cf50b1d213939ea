//! A site that does whatever it can to whoever looks at it.

use launchready_lab::World;

use crate::world::{network_of, start, typed};

/// A site whose home leads round in a ring, whose scripts are endless or no text, and whose records try to
/// break out of the file.
const CHANGE: &str = r#"
[zone."harbor.example"]
"records-" = ['@ 300 TXT "v=spf1 include:_spf.google.com ~all"']
"records+" = [
    '@ 300 TXT "v=spf1 include:mail.zendesk.com include:evil\010[project.crm]\010kind=1.zendesk.com ~all"',
    'loop 300 CNAME loop2.harbor.example.',
    'loop2 300 CNAME loop.harbor.example.',
]
[[site."harbor.example"."routes^"]]
path = "/"
headers = { content-type = "text/html; charset=utf-8" }
body = """
<!DOCTYPE html><script src=/big.js></script><script src=/ring.js></script><script src=//localhost/x.js></script>
<script src=http://169.254.169.254/latest/></script><a href=/login>x</a><a href=/privacy\u202e>Privacy</a><a href='/terms"]'>Terms</a>
<script>fetch("/functions/v1/a\"]\n[project.x]"); u="https://abcdefghijklmnopqrst.supabase.co"; s="pk_live_\u0000"</script>
"""
[[site."harbor.example"."routes^"]]
path = "/ring.js"
status = 302
redirect = "/ring.js"
[[site."harbor.example"."routes^"]]
path = "/login"
status = 302
redirect = "/login?again"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_site_ends_in_a_sound_config() {
    // The longest script that is read is 4 MiB: this one is longer.
    let big = "eyJ".repeat(1_900_000);
    let change = format!(
        "{CHANGE}\n[[site.\"harbor.example\".\"routes^\"]]\npath = \"/big.js\"\n\
         headers = {{ content-type = \"application/javascript\" }}\nbody = \"{big}\"\n"
    );
    let world = World::load("healthy").unwrap().changed(&change).unwrap();
    let place = tempfile::tempdir().unwrap();
    let lab = start(&world, &place).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("launchready.toml");
    std::fs::write(&path, network_of(&lab)).unwrap();
    let said = typed(folder.path(), &["init", "harbor.example", "--yes"], &[]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", said.out);
    let text = std::fs::read_to_string(&path).unwrap();
    let config = launchready::config::load(&path).unwrap();
    let project = &config.projects[0];
    assert!(!text.contains("[project.x]"), "{text}");
    for address in &project.target.web.functions {
        assert!(url::Url::parse(address).is_ok(), "{address}");
    }
    assert_eq!(project.target.domain, "harbor.example");
}
