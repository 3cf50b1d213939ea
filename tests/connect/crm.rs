//! Three CRMs behind a shop on Stripe: whom they know, and what is told of each fault.

use launchready_checks::contract::Status;

use crate::relations::{each_fault, look};

const CONTACTS: &str = "crm-contacts";

struct Crm {
    name: &'static str,
    /// Where contacts are looked for, at the paths of its API.
    path: &'static str,
}

const CRMS: [Crm; 3] = [
    Crm { name: "hubspot", path: "/crm/v3/objects/contacts/batch" },
    Crm { name: "pipedrive", path: "/api/v2/persons/search" },
    Crm { name: "attio", path: "/v2/objects/people" },
];

impl Crm {
    fn project(&self) -> String {
        let name = self.name;
        format!(
            "[project.stripe]\nkey = {{ file = \"stripe.key\" }}\napi = \"lab:stripe\"\n\
             [project.crm]\nkind = \"{name}\"\ntoken = {{ file = \"crm.key\" }}\napi = \"lab:{name}\"\n\
             [project.checks.crm-contacts]\ncustomers = 12\nwindow = \"2d\""
        )
    }

    fn api(&self, more: &str) -> String {
        let name = self.name;
        format!(
            "[secret]\n\"crm.key\" = \"sesame\"\n\"stripe.key\" = \"{{{{stripe_restricted_key}}}}\"\n\
             [api.stripe]\nid = \"acct_1Lab\"\nsales = {{ every_s = 1200, days = 3 }}\n\
             [api.stripe.key.agent]\nkey = \"{{{{stripe_restricted_key}}}}\"\n\
             [api.{name}]\ntoken = \"sesame\"\n{more}"
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_that_knows_every_buyer_passes_and_one_too_few_or_too_many_is_found() {
    for crm in &CRMS {
        let calm = look(CONTACTS, &crm.project(), &crm.api("")).await;
        assert_eq!(
            calm.check.status,
            Status::Pass,
            "{}: {:?} {}",
            crm.name,
            calm.codes(),
            calm.told()
        );
        let more = format!("[api.{}.customers]\nunknown_s = [7200]\ntwice_s = [9600]\n", crm.name);
        let seen = look(CONTACTS, &crm.project(), &crm.api(&more)).await;
        assert_eq!(seen.codes(), ["crm-contact-missing", "crm-contact-duplicated"], "{}", crm.name);
        assert_eq!(seen.measured("missing"), Some(1.0), "{}", crm.name);
        assert_eq!(seen.measured("duplicated"), Some(1.0), "{}", crm.name);
        let text = format!("{:?}", seen.check);
        assert!(!text.contains("@customers.example") && !text.contains("sesame"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_table_an_order_is_looked_for_in_the_crm() {
    for crm in &CRMS {
        let more = format!("[api.{}.customers]\nunknown_s = [7200]\n", crm.name);
        let seen = look("crm-sync", &crm.project(), &crm.api(&more)).await;
        assert_eq!(seen.codes(), ["crm-order-missing"], "{}: {}", crm.name, seen.told());
        assert_eq!(seen.measured("missing"), Some(1.0), "{}", crm.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_crm_is_unknown_and_says_what_to_do() {
    for crm in &CRMS {
        each_fault(CONTACTS, &crm.project(), crm.name, &crm.api("")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_persons_that_repeats_is_no_answer() {
    let crm = &CRMS[1];
    // The same cursor again and again: the search for one buyer would never end.
    let fault = format!(
        "[[api.pipedrive.fault]]\npath = \"{}\"\nfind = '\"next_cursor\":null'\nput = '\"next_cursor\":\"lab0\"'\n",
        crm.path
    );
    let seen = look(CONTACTS, &crm.project(), &crm.api(&fault)).await;
    assert_eq!(seen.check.status, Status::Unknown, "{:?}", seen.codes());
    assert!(seen.told().contains("twice"), "{}", seen.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_which_a_part_failed_is_no_list_of_missing_customers() {
    let crm = &CRMS[0];
    let more = "[api.hubspot.customers]\nunknown_s = [7200]\n";
    let fault = "[[api.hubspot.fault]]\nfind = 'OBJECT_NOT_FOUND'\nput = 'INTERNAL_ERROR'\n";
    let seen = look(CONTACTS, &crm.project(), &crm.api(&format!("{more}{fault}"))).await;
    assert_eq!(seen.check.status, Status::Unknown, "{:?}", seen.codes());
    assert!(seen.told().contains("batch in part"), "{}", seen.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_scope_is_named_and_an_empty_crm_proves_nothing() {
    let hubspot = &CRMS[0];
    let seen = look(CONTACTS, &hubspot.project(), &hubspot.api("scopes = []\n")).await;
    assert_eq!(seen.check.status, Status::Unknown);
    assert!(seen.told().contains("crm.objects.contacts.read"), "{}", seen.told());
    for crm in &CRMS {
        let empty = format!("[api.{}.customers]\nevery_s = 0\n", crm.name);
        let seen = look(CONTACTS, &crm.project(), &crm.api(&empty)).await;
        assert_eq!(seen.check.status, Status::Unknown, "{}: {:?}", crm.name, seen.codes());
        assert!(seen.told().contains("no contact at all"), "{}", seen.told());
    }
}
