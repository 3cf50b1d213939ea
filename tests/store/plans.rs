//! How PostgreSQL finds the rows of what runs often.

use launchready::store::postgres::{OFTEN, SMALL};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row as _};

use crate::bench::Bench;

/// What reads a whole table, or a whole index that is not small.
fn wholes(node: &Value, found: &mut Vec<String>) {
    let of = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_small = SMALL.contains(&of("Index Name"));
    match of("Node Type") {
        "Seq Scan" => found.push(format!("all of {}", of("Relation Name"))),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan"
            if of("Index Cond").is_empty() && !is_small =>
        {
            found.push(format!("all of {}", of("Index Name")));
        }
        _ => {}
    }
    for inner in node.get("Plans").and_then(Value::as_array).into_iter().flatten() {
        wholes(inner, found);
    }
}

#[tokio::test]
async fn every_statement_that_runs_often_finds_its_rows_by_an_index() {
    let test = "every_statement_that_runs_often_finds_its_rows_by_an_index";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let (cluster, database) = bench.server();
    let mut on = cluster.owner(database).await;
    // The tables are empty, and to read all of nothing is cheap.
    let settings = "SET search_path = launchready; SET enable_seqscan = off; \
                    SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(settings).execute(&mut on).await.unwrap();
    let mut wrong = Vec::new();
    for statement in OFTEN {
        let values = (1..=40).rev().find(|number| statement.contains(&format!("${number}")));
        let nothing = vec!["NULL"; values.unwrap_or_default()].join(", ");
        let given = if nothing.is_empty() { nothing } else { format!("({nothing})") };
        let prepare = AssertSqlSafe(format!("PREPARE often AS {statement}"));
        sqlx::raw_sql(prepare).execute(&mut on).await.unwrap_or_else(|error| {
            panic!("{statement}: {error}");
        });
        let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE often{given}"));
        let row = sqlx::raw_sql(explain).fetch_one(&mut on).await.unwrap();
        let plan: Value =
            serde_json::from_str(row.try_get_unchecked::<&str, _>(0).unwrap()).unwrap();
        let mut found = Vec::new();
        wholes(&plan[0]["Plan"], &mut found);
        if !found.is_empty() {
            wrong.push(format!("{}: {statement}", found.join(", ")));
        }
        sqlx::raw_sql("DEALLOCATE often").execute(&mut on).await.unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
