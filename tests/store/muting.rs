//! What people accept and mute, as the store has it.

use launchready::clock::FixedClock;
use launchready::incident::Waiver;
use launchready::store::{IncidentFilter, StoreError};

use crate::bench::{Bench, at, channel, finding, later, run, silence, told};

fn waiver(subject: Option<&str>) -> Waiver {
    Waiver {
        id: String::new(),
        project: "harbor".to_owned(),
        code: "no-policy".to_owned(),
        subject: subject.map(str::to_owned),
        by: "a founder".to_owned(),
        reason: "Not before the launch.".to_owned(),
        at: at("00:00:00"),
        until: at("12:00:00"),
        last_used: None,
    }
}

pub(crate) async fn a_waived_finding_opens_nothing_and_the_waiver_says_when_it_was_used(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    bench.store.add_waiver(&waiver(Some("www"))).await.unwrap();
    let both = || vec![finding("no-policy", "www"), finding("no-policy", "app")];
    bench.commit(run("harbor", "web", now, both())).await;
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!(open.len(), 1);
    let subjects: Vec<_> = open[0].members.values().map(|member| &member.subject).collect();
    assert_eq!(subjects, ["app"]);
    assert_eq!(bench.store.waivers().await.unwrap()[0].last_used, Some(now));
    bench.store.add_waiver(&waiver(None)).await.unwrap();
    let over = bench.commit(run("harbor", "web", later(now, 300), both())).await;
    assert_eq!(over.changes.len(), 1, "the other one is accepted too");
    // After its time a waiver accepts nothing.
    let back = bench.commit(run("harbor", "web", at("12:00:00"), both())).await;
    assert_eq!(back.changes.len(), 1);
    assert_eq!(bench.store.waivers().await.unwrap()[0].last_used, Some(later(now, 300)));
}

pub(crate) async fn a_silence_holds_a_message_back_and_its_end_lets_it_go(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let id = bench.store.add_silence(&silence("harbor", now, at("12:00:00"))).await.unwrap();
    let opened = bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let record = bench.store.incident(&opened.changes[0].1).await.unwrap().unwrap();
    assert!(record.changes[0].unheard.as_deref().unwrap().contains(&id));
    assert!(record.changes[0].notification.is_none());
    assert!(bench.claim(later(now, 3600)).await.is_empty());
    assert_eq!(bench.store.wake(&bench.book, &FixedClock(later(now, 60))).await.unwrap(), 0);
    bench.store.end_silence(&id, later(now, 120)).await.unwrap();
    assert_eq!(bench.store.wake(&bench.book, &FixedClock(later(now, 121))).await.unwrap(), 1);
    assert_eq!(bench.store.wake(&bench.book, &FixedClock(later(now, 122))).await.unwrap(), 0);
    let claimed = bench.claim(later(now, 180)).await;
    assert_eq!(told(&claimed[0]), ["unmuted web-down"]);
}

pub(crate) async fn what_is_over_in_a_silence_is_told_when_it_ends_and_to_a_pager_at_once(
    mut bench: Bench,
) {
    let mut pager = channel("pager");
    pager.ungrouped = true;
    bench.book.channels = vec![channel("founder"), pager];
    let now = at("10:00:00");
    bench.harbor(&["web", "dns"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let gone = bench.commit(run("harbor", "dns", now, vec![finding("no-record", "www")])).await;
    for claimed in
        bench.claim(later(now, 30)).await.into_iter().chain(bench.claim(later(now, 30)).await)
    {
        bench.sent(&claimed, later(now, 30)).await;
    }
    let silenced = later(now, 40);
    let id = bench.store.add_silence(&silence("harbor", silenced, at("12:00:00"))).await.unwrap();
    bench.commit(run("harbor", "web", later(now, 300), Vec::new())).await;
    let incident = &gone.changes[0].1;
    bench.store.resolve(incident, "ana", &bench.book, later(now, 310)).await.unwrap();
    let mut paged = Vec::new();
    for _ in 0..2 {
        for claimed in bench.claim(later(now, 400)).await {
            assert_eq!(claimed.delivery.channel, "pager");
            paged.extend(told(&claimed));
            bench.sent(&claimed, later(now, 400)).await;
        }
    }
    assert_eq!(paged, ["resolved web-down", "resolved no-record"]);
    assert!(bench.claim(at("11:59:59")).await.is_empty(), "people hear nothing in a silence");
    bench.store.end_silence(&id, at("11:00:00")).await.unwrap();
    let claimed = bench.claim(at("11:00:01")).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].delivery.channel, "founder");
    assert_eq!(told(&claimed[0]), ["resolved web-down", "resolved no-record"], "one message");
}

pub(crate) async fn silences_and_waivers_come_and_go(bench: Bench) {
    let now = at("10:00:00");
    let id = bench.store.add_silence(&silence("harbor", now, at("12:00:00"))).await.unwrap();
    assert!(id.starts_with("sil_") && id.len() == 24, "{id}");
    let all = bench.store.silences(later(now, 1)).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].id, id);
    assert!(bench.store.silences(at("12:00:00")).await.unwrap().is_empty());
    bench.store.end_silence(&id, later(now, 5)).await.unwrap();
    assert!(bench.store.silences(later(now, 5)).await.unwrap().is_empty());
    let error = bench.store.end_silence("sil_none", now).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { what: "silence", .. }), "{error:?}");
    let id = bench.store.add_waiver(&waiver(None)).await.unwrap();
    assert!(id.starts_with("wav_"));
    bench.store.remove_waiver(&id).await.unwrap();
    assert!(bench.store.waivers().await.unwrap().is_empty());
    let error = bench.store.remove_waiver(&id).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no waiver {id:?}"));
}
