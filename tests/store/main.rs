//! What every store has to do, written against the trait: a second database is one more line in `suite!`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

mod astray;
mod bench;
mod clock;
mod drills;
mod gate;
mod given_back;
mod heartbeats;
mod jobs;
mod looking;
mod muting;
mod outbox;
mod plans;
mod poison;
mod postgres;
mod runs;
mod silent;
mod sqlite;
mod stress;
mod together;
mod transfer;
mod upkeep;
mod waking;
mod year;

#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../support/postgres.rs"]
mod cluster;

#[path = "../support/mounted.rs"]
mod mounted;

#[path = "../support/port.rs"]
mod port;

#[allow(dead_code, reason = "other tests run tools, too")]
#[path = "../support/process.rs"]
mod process;

#[allow(dead_code, reason = "other tests point it elsewhere")]
#[path = "../support/proxy.rs"]
mod proxy;

#[path = "../support/mod.rs"]
mod support;

/// Makes one test of each function for each database.
macro_rules! suite {
    ({ $($database:ident => $make:path;)+ } $tests:tt) => {
        $(mod $database { suite!(@tests $make; $tests); })+
    };
    (@tests $make:path; { $($part:ident: [$($test:ident),+ $(,)?];)+ }) => {
        $(mod $part {
            $(#[tokio::test]
            async fn $test() {
                if let Some(bench) = $make(stringify!($test)).await {
                    crate::$part::$test(bench).await;
                }
            })+
        })+
    };
}

suite! {
    {
        on_sqlite => crate::bench::Bench::on_sqlite;
        on_postgres => crate::bench::Bench::on_postgres;
    }
    {
        jobs: [
            new_jobs_of_many_projects_are_due_soon_and_not_all_at_once,
            a_job_is_taken_once_given_back_and_taken_again_when_its_holder_is_gone,
            whoever_comes_second_to_a_project_knows_of_the_first,
            the_jobs_of_a_project_go_to_the_agent_that_is_at_it,
            what_an_agent_holds_beside_what_it_knows_of_is_let_go,
            a_changed_schedule_counts_from_now_and_an_unchanged_one_stays,
            a_job_that_is_gone_ends_quietly_and_comes_back_with_its_past,
            another_domain_is_another_job,
            a_look_that_is_asked_for_is_due_now_and_never_at_the_time_of_the_last_run,
            a_look_that_is_asked_for_during_a_run_comes_after_it,
            a_look_that_is_asked_for_outlives_whoever_was_at_the_run,
            a_schedule_that_changes_during_a_run_counts_when_it_ends,
            after_a_long_sleep_a_job_is_due_once,
            a_clock_that_was_ahead_does_not_keep_a_job_waiting,
            a_config_that_is_taken_over_late_does_no_run_twice,
            two_stores_never_take_the_same_job,
            agents_at_work_are_known_until_they_leave_or_are_not_heard_of,
        ];
        upkeep: [
            a_job_that_is_gone_goes_part_by_part_with_all_that_it_has_and_nothing_else_goes,
            what_fails_in_one_step_of_upkeep_holds_up_no_other_and_loses_no_span,
            what_is_past_its_keeping_time_goes_and_the_rest_stays,
            evidence_is_kept_once_and_what_nothing_points_to_goes,
        ];
        waking: [
            time_passes_in_many_projects_at_once,
        ];
        given_back: [
            a_check_that_the_config_of_one_agent_lacks_goes_to_the_one_whose_config_has_it,
            an_agent_that_leaves_its_work_to_others_takes_nothing_until_it_works_again,
        ];
        clock: [
            a_lease_of_a_clock_that_was_ahead_ends_with_the_next_one,
            a_message_of_a_clock_that_was_ahead_waits_as_long_as_it_was_to,
            quiet_hours_of_a_clock_that_was_ahead_hold_for_a_night_at_most,
            a_reminder_counts_from_the_time_at_which_the_clock_was_put_back,
            a_run_that_began_before_the_clock_was_put_back_keeps_no_job_waiting,
            what_is_as_far_ahead_as_it_may_be_stays,
        ];
        runs: [
            a_run_is_stored_once_for_each_due_time,
            runs_that_end_alike_extend_one_span_and_others_begin_one,
            the_next_run_is_given_evidence_carry_and_history,
            runs_that_begin_together_are_given_what_is_theirs_in_their_order,
            the_next_run_is_given_what_was_approved_last,
            a_run_that_cannot_look_keeps_what_an_earlier_one_saw,
            measurements_become_hourly_figures,
            values_that_are_no_number_are_left_out,
        ];
        drills: [
            a_drill_is_kept_by_its_mark_and_its_end_replaces_its_beginning,
            old_drills_go_and_one_that_left_something_stays,
            what_became_of_a_message_is_told_for_each_channel,
        ];
        heartbeats: [
            a_promise_counts_from_its_first_mention_and_keeps_what_was_heard,
            the_last_hundred_calls_are_kept_one_by_one_and_the_rest_is_counted,
            a_promise_that_is_gone_comes_back_with_its_past_and_goes_after_a_month,
            a_call_of_a_promise_that_is_not_known_yet_is_kept,
            each_agent_that_listens_is_known_until_it_ends_in_order,
            values_are_listed_by_how_their_names_begin,
        ];
        looking: [
            a_suspected_finding_is_looked_at_again_and_then_opens_one_incident,
            a_recovery_has_a_check_look_again_that_is_under_way,
            an_incident_resolves_and_the_record_tells_its_life,
            a_check_that_is_blind_for_three_runs_is_news,
            people_acknowledge_and_resolve_with_words_for_what_cannot_be,
            incidents_are_filtered_and_newest_first,
            incidents_are_read_in_parts_and_counted_by_severity,
            whoever_stores_a_run_the_last_looks_of_its_project_change,
        ];
        muting: [
            a_waived_finding_opens_nothing_and_the_waiver_says_when_it_was_used,
            a_silence_holds_a_message_back_and_its_end_lets_it_go,
            what_is_over_in_a_silence_is_told_when_it_ends_and_to_a_pager_at_once,
            silences_and_waivers_come_and_go,
        ];
        outbox: [
            what_happens_together_is_one_message_for_each_channel,
            a_claimed_notification_takes_no_more_changes,
            a_channel_is_told_only_what_it_takes,
            channels_that_group_for_themselves_are_told_each_change_at_once,
            quiet_hours_hold_one_message_until_the_morning,
            a_lease_that_ran_out_is_claimed_again_under_the_same_id,
            what_comes_late_of_a_try_is_nothing_to_a_message_that_another_agent_has,
            a_busy_channel_waits_and_others_do_not,
            what_is_held_on_a_channel_that_sends_nothing_is_let_go,
            a_retry_comes_back_at_its_time_and_the_end_never_overtakes_the_beginning,
            a_channel_that_fails_for_good_falls_back_once,
            a_fallback_never_tells_a_change_twice,
            a_notification_of_its_own_is_put_in_once,
            what_was_wrong_at_the_start_is_one_message,
        ];
        stress: [
            a_commit_that_is_dropped_anywhere_leaves_all_or_nothing,
            random_lives_keep_every_promise,
        ];
    }
}
