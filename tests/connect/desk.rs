//! Five help desks: what they tell when all is well, and what is told of each fault.

use launchready_checks::contract::Status;

use crate::relations::{each_fault, look};

const CHECK: &str = "support-backlog";

/// A desk with its tables in the config and in the lab.
struct Desk {
    name: &'static str,
    project: &'static str,
    api: &'static str,
    /// A text of an answer, and one with a word that no client knows in its place.
    new_word: (&'static str, &'static str),
}

const DESKS: [Desk; 5] = [
    Desk {
        name: "zendesk",
        project: "kind = \"zendesk\"\nuser = \"a@harbor.example\"",
        api: "user = \"a@harbor.example\"\ntoken = \"sesame\"",
        new_word: ("\"priority\":\"normal\"", "\"priority\":\"somewhat\""),
    },
    Desk {
        name: "intercom",
        project: "kind = \"intercom\"",
        api: "token = \"sesame\"",
        new_word: ("customer_initiated", "carrier_pigeon"),
    },
    Desk {
        name: "freshdesk",
        project: "kind = \"freshdesk\"\nsubdomain = \"harbor\"",
        api: "key = \"sesame\"",
        new_word: ("\"source\":1", "\"source\":77"),
    },
    Desk {
        name: "helpscout",
        project: "kind = \"helpscout\"\nuser = \"app\"",
        api: "id = \"app\"\nsecret = \"sesame\"\ntoken = \"granted\"",
        new_word: ("\"via\":\"customer\"", "\"via\":\"pigeon\""),
    },
    Desk {
        name: "front",
        project: "kind = \"front\"",
        api: "token = \"sesame\"",
        new_word: ("\"status_category\":\"open\"", "\"status_category\":\"ajar\""),
    },
];

impl Desk {
    fn project(&self) -> String {
        let name = self.name;
        let own = self.project;
        format!("[project.support]\n{own}\ntoken = {{ file = \"desk.key\" }}\napi = \"lab:{name}\"")
    }

    fn api(&self, more: &str) -> String {
        let (name, own) = (self.name, self.api);
        format!("[secret]\n\"desk.key\" = \"sesame\"\n[api.{name}]\n{own}\n{more}")
    }
}

/// A request that waits for an age, in seconds.
fn waits(desk: &Desk, age_s: i64) -> String {
    format!(
        "[api.{}.traffic.ticket.waits]\nid = 77\nage_s = {age_s}\nassigned = true\ngroup = 1\ntags = [\"refund\"]\n\
         acknowledged_s = 4\ncustomer = 7\n",
        desk.name
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_is_answered_passes_and_a_customer_who_waits_is_found() {
    for desk in &DESKS {
        let calm = look(CHECK, &desk.project(), &desk.api("")).await;
        assert_eq!(
            calm.check.status,
            Status::Pass,
            "{}: {:?} {}",
            desk.name,
            calm.codes(),
            calm.told()
        );
        let oldest = calm.measured("oldest-waiting").unwrap();
        assert!(oldest < 3_600.0, "{}: {oldest}", desk.name);
        let late = look(CHECK, &desk.project(), &desk.api(&waits(desk, 31 * 3_600))).await;
        assert_eq!(late.codes(), ["support-customer-waiting"], "{}", desk.name);
        assert_eq!(late.check.status, Status::Fail, "{}", desk.name);
        let oldest = late.measured("oldest-waiting").unwrap();
        assert!((oldest - 111_600.0).abs() < 60.0, "{}: {oldest}", desk.name);
        let text = format!("{:?}", late.check);
        assert!(!text.contains("@customers.example") && !text.contains("sesame"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zendesk_tells_who_spoke_last_and_how_fast_it_confirms() {
    let desk = &DESKS[0];
    let more = "[api.zendesk.traffic.ticket.asked-again]\nid = 81\nage_s = 180000\nassigned = true\ngroup = 1\n\
                tags = [\"refund\"]\ncustomer = 8\nsaid = [\"agent 170000\", \"customer 50000\", \"customer 900\"]\n\
                [api.zendesk.traffic.ticket.answered]\nid = 82\nage_s = 180000\nassigned = true\ngroup = 1\n\
                tags = [\"refund\"]\ncustomer = 9\nsaid = [\"agent 170000\"]\n\
                [api.zendesk.traffic.ticket.unconfirmed]\nid = 83\nage_s = 600\nassigned = true\ngroup = 1\n\
                tags = [\"refund\"]\ncustomer = 10\n";
    let seen = look(CHECK, &desk.project(), &desk.api(more)).await;
    assert_eq!(seen.codes(), ["support-customer-waiting", "support-acknowledgement-late"]);
    // The customer's word after the answer counts, and not the last one, which only repeats it.
    let oldest = seen.measured("oldest-waiting").unwrap();
    assert!((oldest - 50_000.0).abs() < 60.0, "{oldest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_desk_is_unknown_and_says_what_to_do() {
    for desk in &DESKS {
        each_fault(CHECK, &desk.project(), desk.name, &desk.api("")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_wait_is_kept_and_then_all_is_well() {
    for desk in &DESKS {
        let fault = format!(
            "[[api.{}.fault]]\nstatus = 429\nheaders = [\"retry-after: 0\"]\nfrom = 1\nto = 1\n",
            desk.name
        );
        let seen = look(CHECK, &desk.project(), &desk.api(&fault)).await;
        assert_eq!(seen.check.status, Status::Pass, "{}: {}", desk.name, seen.told());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_word_of_a_desk_is_no_error() {
    for desk in &DESKS {
        let (find, put) = desk.new_word;
        let fault = format!("[[api.{}.fault]]\nfind = '{find}'\nput = '{put}'\n", desk.name);
        let seen = look(CHECK, &desk.project(), &desk.api(&fault)).await;
        assert_eq!(seen.check.status, Status::Pass, "{}: {}", desk.name, seen.told());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_repeats_ends_with_an_error_and_never_with_a_number() {
    // 300 requests are open at once, so that every desk needs several pages.
    let crowd = "every_s = 600\nanswered_s = 180000\nsolved_s = 180000\n";
    let path = [
        "/api/v2/search",
        "/conversations",
        "/api/v2/tickets",
        "/v2/conversations",
        "/conversations",
    ];
    for (desk, path) in DESKS.iter().zip(path) {
        let traffic = format!("[api.{}.traffic]\n{crowd}", desk.name);
        let all = look(CHECK, &desk.project(), &desk.api(&traffic)).await;
        assert_eq!(
            all.measured("waiting").map(|n| n > 200.0),
            Some(true),
            "{}: {}",
            desk.name,
            all.told()
        );
        // The count of Zendesk's search, and of Freshdesk's, is asked for first.
        let from = if desk.name == "zendesk" { 2 } else { 1 };
        let fault = format!(
            "[[api.{}.fault]]\npath = \"{path}\"\nrepeats = true\nfrom = {from}\n",
            desk.name
        );
        let seen = look(CHECK, &desk.project(), &desk.api(&format!("{traffic}{fault}"))).await;
        assert_eq!(seen.check.status, Status::Unknown, "{}: {:?}", desk.name, seen.codes());
        assert!(seen.told().contains("twice"), "{}: {}", desk.name, seen.told());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_desk_proves_nothing_and_a_role_without_tickets_says_so() {
    for desk in &DESKS {
        let empty = format!("[api.{}.traffic]\nevery_s = 0\n", desk.name);
        let seen = look(CHECK, &desk.project(), &desk.api(&empty)).await;
        assert_eq!(seen.check.status, Status::Unknown, "{}", desk.name);
        assert!(seen.told().contains("shows none at all"), "{}", seen.told());
        let seen = look(CHECK, &desk.project(), &desk.api("forbidden = true\n")).await;
        assert_eq!(seen.check.status, Status::Unknown, "{}", desk.name);
        assert!(seen.told().contains("a permission is missing"), "{}", seen.told());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_refused_and_one_that_is_not_there_are_told_apart() {
    let desk = &DESKS[3];
    let wrong = desk.api("").replace("\"desk.key\" = \"sesame\"", "\"desk.key\" = \"guess\"");
    let seen = look(CHECK, &desk.project(), &wrong).await;
    assert_eq!(seen.check.status, Status::Unknown);
    assert!(seen.told().contains("My apps") && !seen.told().contains("guess"), "{}", seen.told());
    let none = desk.api("").replace("\"desk.key\"", "\"other.key\"");
    let seen = look(CHECK, &desk.project(), &none).await;
    assert_eq!(seen.check.status, Status::Skipped, "{}", seen.told());
}
