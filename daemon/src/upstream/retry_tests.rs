use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn ok() -> Result<Answer, ApiFailure> {
    Ok(Answer::new(
        200,
        &HeaderMap::new(),
        Bytes::from_static(b"{}"),
    ))
}

fn refused(
    status: u16,
    code: &str,
    retry_after: Option<&'static str>,
) -> Result<Answer, ApiFailure> {
    let mut headers = HeaderMap::new();
    if let Some(value) = retry_after {
        headers.insert("retry-after", HeaderValue::from_static(value));
    }
    let body = Bytes::from(format!("{{\"code\":\"{code}\",\"message\":\"m\"}}"));
    Err(ApiFailure::of_answer(&Answer::new(status, &headers, body)))
}

fn away(unsent: bool) -> Result<Answer, ApiFailure> {
    Err(ApiFailure::network("connection refused", unsent))
}

/// Runs the policy against a script; how it ended, how many attempts, how long it took.
async fn run(
    retryable: bool,
    within: Duration,
    script: Vec<Result<Answer, ApiFailure>>,
) -> (Result<Answer, ApiFailure>, usize, Duration) {
    let started = Instant::now();
    let script = RefCell::new(VecDeque::from(script));
    let attempts = Cell::new(0);
    let attempt = || {
        attempts.set(attempts.get() + 1);
        let next = script
            .borrow_mut()
            .pop_front()
            .expect("one attempt too many");
        async move { next }
    };
    let end = RetryPolicy::default()
        .run(retryable, started + within, attempt)
        .await;
    (end, attempts.get(), started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn every_passing_status_is_tried_again_with_growing_waits() {
    for status in RETRIED_STATUSES {
        let script = vec![refused(status, "X", None), refused(status, "X", None), ok()];
        let (end, attempts, took) = run(true, MINUTE, script).await;
        assert!(end.is_ok() && attempts == 3, "{status}");
        // 250 ms and 500 ms, each a quarter up or down.
        let (least, most) = (Duration::from_millis(562), Duration::from_millis(940));
        assert!((least..=most).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_refusals_and_unsafe_calls_are_final() {
    for status in [400, 401, 403, 404, 409, 410, 413, 422, 501] {
        let (end, attempts, _) = run(true, MINUTE, vec![refused(status, "X", None)]).await;
        assert!(end.is_err() && attempts == 1, "{status}");
    }
    let (end, attempts, _) = run(false, MINUTE, vec![refused(503, "X", None)]).await;
    assert!(end.is_err() && attempts == 1);
}

#[tokio::test(start_paused = true)]
async fn pitfall_31_a_full_inbox_and_an_unanswered_first_message_are_never_retried() {
    for code in NEVER_AGAIN {
        for status in [403, 429, 503] {
            let (end, attempts, _) = run(true, MINUTE, vec![refused(status, code, None)]).await;
            assert!(end.is_err() && attempts == 1, "{code} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_31_retry_after_is_obeyed_in_full_past_the_longest_wait_of_ours() {
    let script = vec![refused(429, "RATE_LIMITED", Some("30")), ok()];
    let (end, _, took) = run(true, MINUTE, script).await;
    assert!(end.is_ok());
    assert!(
        (Duration::from_secs(30)..Duration::from_secs(31)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_past_the_callers_time_ends_the_call_at_once() {
    let script = vec![refused(429, "RATE_LIMITED", Some("90"))];
    let (end, attempts, took) = run(true, MINUTE, script).await;
    let failure = end.unwrap_err();
    assert_eq!(failure.api().unwrap().retry_after_ms, Some(90_000));
    assert_eq!((attempts, took), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn pitfall_58_a_retry_after_of_nothing_means_a_second() {
    let (end, _, took) = run(
        true,
        MINUTE,
        vec![refused(429, "RATE_LIMITED", Some("0")), ok()],
    )
    .await;
    assert!(end.is_ok());
    assert!(
        (Duration::from_secs(1)..Duration::from_millis(1100)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_tells_how_often_it_was_tried_and_whether_any_attempt_got_through() {
    let script = vec![away(true), away(true), away(true), away(true)];
    let (end, attempts, _) = run(true, MINUTE, script).await;
    let ApiFailure::Unavailable(all_unsent) = end.unwrap_err() else {
        panic!()
    };
    assert_eq!(
        (attempts, all_unsent.attempts, all_unsent.unsent),
        (4, 4, true)
    );

    let script = vec![away(false), away(true), away(true), away(true)];
    let (end, _, _) = run(true, MINUTE, script).await;
    let ApiFailure::Unavailable(one_got_through) = end.unwrap_err() else {
        panic!()
    };
    assert!(
        !one_got_through.unsent,
        "the first attempt may have been heard"
    );
}

#[test]
fn the_waits_double_up_to_the_bound_and_spread_by_a_quarter() {
    let policy = RetryPolicy::default();
    let failure = ApiFailure::network("x", false);
    let wait = |attempt, chance| policy.wait_after(&failure, attempt, chance).as_millis();
    assert_eq!([wait(1, 0.5), wait(2, 0.5), wait(3, 0.5)], [250, 500, 1000]);
    assert_eq!(
        [wait(6, 0.5), wait(60, 0.5), wait(u32::MAX, 0.5)],
        [8000; 3]
    );
    assert_eq!([wait(1, 0.0), wait(1, 1.0)], [187, 312]);
}
