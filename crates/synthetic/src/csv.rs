//! The world as text that anybody can read.

use std::fmt::Write as _;

use catchment_schema::Time;
use jiff::Timestamp;

use crate::World;

/// `user_id,item_id,timestamp,event`, by time.
pub(crate) fn interactions(world: &World) -> String {
    let mut text = "user_id,item_id,timestamp,event\n".to_owned();
    for choice in world.log() {
        let user = &world.users()[choice.user].id;
        let item = &world.items()[choice.item].id;
        line(
            &mut text,
            format_args!("{user},{item},{},{}", moment(choice.time), choice.kind.word()),
        );
    }
    text
}

/// `item_id,title,category,price,published_at`; two categories have a `|` between them.
pub(crate) fn items(world: &World) -> String {
    let mut text = "item_id,title,category,price,published_at\n".to_owned();
    for item in world.items() {
        let (id, title, categories) = (&item.id, &item.title, item.categories.join("|"));
        let (whole, cents) = (item.price_cents / 100, item.price_cents % 100);
        let published = moment(item.published_at);
        line(
            &mut text,
            format_args!("{id},{title},{categories},{whole}.{cents:02},{published}"),
        );
    }
    text
}

/// `user_id,age,country`.
pub(crate) fn users(world: &World) -> String {
    let mut text = "user_id,age,country\n".to_owned();
    for user in world.users() {
        line(
            &mut text,
            format_args!("{},{},{}", user.id, user.age, user.country),
        );
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// RFC 3339, to the second.
fn moment(time: Time) -> Timestamp {
    time.millis()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or_default()
}
