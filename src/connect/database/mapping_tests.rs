//! Tables and columns are found under the names that people give them, and nothing else is.

use super::*;

fn relation(schema: &str, name: &str, path: Option<u32>) -> Relation {
    Relation { schema: schema.to_owned(), name: name.to_owned(), id: 1, path }
}

fn column(name: &str, kind: Kind) -> Column {
    Column { name: name.to_owned(), kind }
}

fn wanted(pairs: &[(&str, &str)]) -> Wanted {
    pairs.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn a_table_is_found_by_name_by_schema_and_where_it_is_the_only_one() {
    let relations = [
        relation("public", "orders", Some(1)),
        relation("old", "orders", None),
        relation("old", "sales", None),
        relation("one", "twice", None),
        relation("two", "twice", None),
        relation("public", "my.table", Some(1)),
        relation("public", "Order", Some(1)),
    ];
    let find = |name: &str| {
        table(TableRole::Orders, &wanted(&[("table", name)]), &relations)
            .map(Relation::shown)
            .map_err(|error| error.to_string())
    };
    for (name, found) in [
        ("orders", "public.orders"),
        ("old.orders", "old.orders"),
        ("sales", "old.sales"),
        ("my.table", "public.my.table"),
        ("Order", "public.Order"),
    ] {
        assert_eq!(find(name).as_deref(), Ok(found));
    }
    for (name, part) in [
        ("order", "project.database.orders.table: the database shows no table \"order\""),
        ("ordres", "the nearest is \"orders\""),
        ("twice", "\"one.twice\" or \"two.twice\""),
        ("old.sale", "the nearest is \"old.sales\""),
    ] {
        let error = find(name).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_column_that_is_named_has_to_exist_and_others_are_found_under_usual_names() {
    let orders = relation("public", "orders", Some(1));
    let real = [
        column("id", Kind::Other),
        column("stripeSessionId", Kind::Text),
        column("total", Kind::Decimal),
        column("buyer", Kind::Text),
    ];
    let map = |pairs: &[(&str, &str)]| columns(TableRole::Orders, &wanted(pairs), &orders, &real);
    let found = map(&[("table", "orders"), ("customer", "buyer")]).unwrap();
    assert_eq!(found.unit, Unit::Major);
    let shape = found.shape();
    assert_eq!(shape.name, "public.orders");
    let names: Vec<_> = shape.columns.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        names,
        [("amount", "total"), ("customer", "buyer"), ("id", "id"), ("session", "stripeSessionId")]
    );
    let error = map(&[("table", "orders"), ("session", "stripe_sesion")]).unwrap_err().to_string();
    assert!(
        error.contains(
            "project.database.orders.session: public.orders has no column \"stripe_sesion\"; the nearest \
             is \"stripeSessionId\""
        ),
        "{error}"
    );
}

#[test]
fn the_id_of_an_event_is_the_providers() {
    let events = relation("", "stripe_events", Some(0));
    let real = [column("id", Kind::Whole), column("stripe_event_id", Kind::Text)];
    let found = columns(TableRole::Events, &wanted(&[]), &events, &real).unwrap();
    assert_eq!(found.columns["id"].name, "stripe_event_id");
    let found = columns(TableRole::Events, &wanted(&[("id", "id")]), &events, &real).unwrap();
    assert_eq!(found.columns["id"].name, "id");
}

#[test]
fn what_an_amount_counts_is_said_or_seen_and_never_guessed() {
    let orders = relation("", "orders", Some(0));
    let unit = |name: &str, kind: Kind, said: Option<&str>| {
        let mut wanted = wanted(&[("table", "orders"), ("amount", name)]);
        wanted.extend(said.map(|unit| (TableRole::AMOUNT_UNIT.to_owned(), unit.to_owned())));
        columns(TableRole::Orders, &wanted, &orders, &[column(name, kind)])
            .map(|found| found.unit)
            .map_err(|error| error.to_string())
    };
    assert_eq!(unit("amount", Kind::Whole, None), Ok(Unit::Minor));
    assert_eq!(unit("amount", Kind::Decimal, None), Ok(Unit::Major));
    assert_eq!(unit("amount_cents", Kind::Number, None), Ok(Unit::Minor));
    assert_eq!(unit("amount", Kind::Whole, Some("major")), Ok(Unit::Major));
    assert_eq!(unit("amount", Kind::Number, Some("minor")), Ok(Unit::Minor));
    for (kind, said, part) in [
        (Kind::Number, None, "say amount_unit"),
        (Kind::Text, None, "say amount_unit"),
        (Kind::Whole, Some("cents"), "neither"),
    ] {
        let error = unit("amount", kind, said).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
