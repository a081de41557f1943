//! Which topics there are, and which a client follows.

use crate::rng::Rng;

pub(crate) const COUNT: u16 = 24;

pub(crate) fn name(topic: u16) -> String {
    let side = if topic % 2 == 0 { "even" } else { "odd" };
    format!("{side}/{topic}")
}

/// What a client follows: most a topic or two, some a prefix, some all. The prefixes, the names, and
/// the numbers.
pub(crate) fn followed(client: usize, seed: u64) -> (Vec<&'static str>, Vec<String>, Vec<u16>) {
    let mut rng = Rng::new(seed ^ (client as u64) << 20);
    let all = 0..COUNT;
    let mut one = || u16::try_from(rng.below(COUNT.into())).unwrap();
    match client % 40 {
        0 => (vec!["even/", "odd/"], vec![], all.collect()),
        1 => (vec!["even/"], vec![], all.step_by(2).collect()),
        2 => {
            let (mut topics, topic) = (Vec::from_iter(all.skip(1).step_by(2)), one() / 2 * 2);
            topics.push(topic);
            (vec!["odd/"], vec![name(topic)], topics)
        }
        3..20 => {
            let mut topics = vec![one(), one()];
            topics.dedup();
            (
                vec![],
                topics.iter().map(|topic| name(*topic)).collect(),
                topics,
            )
        }
        _ => {
            let topic = one();
            (vec![], vec![name(topic)], vec![topic])
        }
    }
}

/// The path and query of a client.
pub(crate) fn path(prefixes: &[&str], names: &[String]) -> String {
    let prefixes = prefixes.iter().map(|one| format!("prefix={one}"));
    let names = names.iter().map(|one| format!("topic={one}"));
    format!("/?{}", prefixes.chain(names).collect::<Vec<_>>().join("&"))
}

/// The prefixes and names of a query.
pub(crate) fn of_query(query: &str) -> (Vec<String>, Vec<String>) {
    let (mut prefixes, mut names) = (Vec::new(), Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("prefix", value)) => prefixes.push(value.to_owned()),
            Some(("topic", value)) => names.push(value.to_owned()),
            _ => {}
        }
    }
    (prefixes, names)
}
