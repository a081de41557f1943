//! A run: everything is started, broken for a time, calmed, and checked.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc, watch};

use crate::clients::LAST;
use crate::faults::{Counts, Demon};
use crate::ledger::Ledger;
use crate::log::Log;
use crate::plan::{Mode, Plan, variable};
use crate::ports::free_port;
use crate::process::Process;
use crate::rig::checker::Report;
use crate::rig::payload::Payload;
use crate::rig::proxy::Proxy;
use crate::rig::resp::Resp;
use crate::rig::server::Server;
use crate::rig::trace::{Key, Seen};
use crate::rng::Rng;
use crate::starter::Starter;
use crate::topics;

/// The stream.
pub(crate) const KEY: &str = "chaos";

#[derive(Debug, Default)]
struct Totals {
    runs: usize,
    failed: Vec<u64>,
    acknowledged: usize,
    deliveries: usize,
    gaps: usize,
    idle_gaps: usize,
    repeated: usize,
    twice: usize,
    unfounded: usize,
    unknowable: usize,
    connections: usize,
}

pub(crate) async fn all() -> ExitCode {
    let first: u64 = variable("CHAOS_SEED", 4);
    let runs: u64 = variable("CHAOS_RUNS", 2);
    let mut totals = Totals::default();
    for seed in first..first + runs {
        let plan = Plan::new(seed);
        println!("{plan}");
        totals.runs += 1;
        if !run(&plan, &mut totals).await {
            totals.failed.push(seed);
        }
    }
    println!("{totals:#?}");
    if totals.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn run(plan: &Plan, totals: &mut Totals) -> bool {
    let start = Instant::now();
    let folder = std::env::temp_dir().join(format!(
        "tower-sse-chaos-{}-{}",
        std::process::id(),
        plan.seed
    ));
    fs::create_dir_all(&folder).unwrap();
    let server = Server::with(plan.aof(), &[]).await;
    let redis = server.address();
    let world = World::start(plan, server, folder.clone()).await;
    world.wreck(plan).await;
    world.calm().await;
    publish_last(redis, &world.ledger).await;
    let stuck = world.finish().await;
    let ok = world.check(plan, stuck, totals, start).await;
    drop(world);
    if ok {
        _ = fs::remove_dir_all(folder);
    } else {
        println!("  what was written is in {}", folder.display());
    }
    ok
}

/// One event in each topic, as redis-cli would write it.
async fn publish_last(redis: std::net::SocketAddr, ledger: &StdMutex<Ledger>) {
    let mut connection = Resp::connect(redis).await.unwrap();
    for topic in 0..topics::COUNT {
        let payload = Payload {
            topic,
            publisher: LAST,
            n: topic.into(),
        };
        let (name, data) = (topics::name(topic), payload.to_string());
        let words = ["XADD", KEY, "*", "topic", &name, "data", &data].map(str::as_bytes);
        let id = connection.send_words(&words).await.text();
        let mut ledger = ledger.lock().unwrap();
        ledger.truth.begin(payload);
        ledger.truth.stored(payload, Key::parse(&id).unwrap());
    }
}

struct World {
    server: Arc<Mutex<Server>>,
    proxies: Arc<Vec<Proxy>>,
    nodes: Vec<Arc<Mutex<Process>>>,
    publishers: Vec<Arc<Mutex<Process>>>,
    clients: Mutex<(Process, mpsc::UnboundedReceiver<String>)>,
    ledger: Arc<StdMutex<Ledger>>,
    counts: Arc<Counts>,
    starter: Arc<Starter>,
    folder: PathBuf,
}

impl World {
    async fn start(plan: &Plan, server: Server, folder: PathBuf) -> Self {
        let mut proxies = Vec::new();
        // The last is the publishers'.
        for _ in 0..=plan.nodes {
            proxies.push(Proxy::before(server.address()).await);
        }
        let ledger = Arc::<StdMutex<Ledger>>::default();
        let starter = Arc::new(Starter {
            plan: plan.clone(),
            folder: folder.clone(),
            ports: (0..plan.nodes).map(|_| free_port()).collect(),
            redis: proxies
                .iter()
                .map(|proxy| proxy.address().to_string())
                .collect(),
            publisher: AtomicU32::new(1),
            ledger: Arc::clone(&ledger),
        });
        let shared = |process| Arc::new(Mutex::new(process));
        // All at once, on an empty stream.
        let nodes = (0..plan.nodes)
            .map(|number| shared(starter.node(number)))
            .collect();
        let mut arguments = vec![
            "clients".to_owned(),
            plan.clients.to_string(),
            plan.seed.to_string(),
            folder.join("traces").to_string_lossy().into_owned(),
        ];
        arguments.extend(starter.ports.iter().map(ToString::to_string));
        let (sender, lines) = mpsc::unbounded_channel();
        let clients = Process::start(&arguments, &folder.join("clients.log"), move |line| {
            _ = sender.send(line.to_owned());
        });
        let publishers = (0..plan.publishers)
            .map(|_| shared(starter.publisher()))
            .collect();
        Self {
            server: Arc::new(Mutex::new(server)),
            proxies: Arc::new(proxies),
            nodes,
            publishers,
            clients: Mutex::new((clients, lines)),
            ledger,
            counts: Arc::default(),
            starter,
            folder,
        }
    }

    /// Breaks things until enough has been published, and mends them.
    async fn wreck(&self, plan: &Plan) {
        let (stop, over) = watch::channel(false);
        let mut rng = Rng::new(plan.seed ^ 0x5EED);
        let mut demon = || Demon {
            rng: Rng::new(rng.next()),
            counts: Arc::clone(&self.counts),
            over: over.clone(),
            long: plan.events.is_some() || plan.seconds > Duration::from_secs(15),
        };
        let mut demons = tokio::task::JoinSet::new();
        demons.spawn(demon().redis(Arc::clone(&self.server), plan.mode));
        let starter = Arc::clone(&self.starter);
        demons.spawn(demon().nodes(self.nodes.clone(), move |number| starter.node(number)));
        let starter = Arc::clone(&self.starter);
        demons.spawn(demon().publishers(self.publishers.clone(), move || starter.publisher()));
        demons.spawn(demon().network(Arc::clone(&self.proxies)));
        let start = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let enough = match plan.events {
                Some(events) => self.ledger.lock().unwrap().acknowledged >= events,
                None => start.elapsed() >= plan.seconds,
            };
            if enough {
                break;
            }
            assert!(
                start.elapsed() < Duration::from_secs(900),
                "nothing is published"
            );
        }
        _ = stop.send(true);
        while let Some(demon) = demons.join_next().await {
            demon.unwrap();
        }
    }

    /// Ends the publishers.
    async fn calm(&self) {
        for publisher in &self.publishers {
            let mut publisher = publisher.lock().await;
            publisher.tell("end").await;
            let ended = tokio::time::timeout(Duration::from_secs(120), publisher.ended()).await;
            if ended.is_err() {
                println!("  a publisher does not end");
                publisher.kill().await;
            }
        }
    }

    /// Waits until the clients have everything; those that have not.
    async fn finish(&self) -> Vec<String> {
        let mut clients = self.clients.lock().await;
        clients.0.tell("120").await;
        let mut stuck = Vec::new();
        while let Some(line) = clients.1.recv().await {
            match line.strip_prefix("stuck ") {
                Some(client) => stuck.push(client.to_owned()),
                None if line == "written" => break,
                None => {}
            }
        }
        stuck
    }

    async fn check(
        &self,
        plan: &Plan,
        stuck: Vec<String>,
        totals: &mut Totals,
        start: Instant,
    ) -> bool {
        let file = fs::read(self.folder.join("traces")).unwrap();
        let mut rest = &file[..];
        let traces: Vec<Vec<Seen>> = (0..plan.clients)
            .map(|_| {
                let (length, after) = rest.split_first_chunk().unwrap();
                rest = after;
                (0..u64::from_le_bytes(*length))
                    .map(|_| Seen::read(&mut rest).unwrap())
                    .collect()
            })
            .collect();
        let log = Log::read(&*self.server.lock().await).await;
        let mut ok = stuck.is_empty();
        if !ok {
            for one in stuck {
                println!("  stuck: client {one}");
            }
            for node in &self.nodes {
                node.lock().await.tell("close").await;
            }
        }
        let mut ledger = self.ledger.lock().unwrap();
        for (payload, key) in &log.events {
            ledger.truth.stored(*payload, *key);
        }
        for trace in &traces {
            ledger.truth.add_seen(trace);
        }
        if plan.mode == Mode::Truncate {
            let events = log.events.iter().map(|one| one.0);
            ledger.truth.lossy(events, log.marks.clone());
            ledger.truth.begins(log.begins.clone());
            let killed = self.counts.publisher_kills.lock().unwrap();
            ledger
                .truth
                .unread(|publisher| !killed.contains(&publisher));
        }
        let faults = ledger.truth.settle();
        ok &= faults.is_empty();
        for fault in faults {
            println!("  {fault:?}");
        }
        let mut sum = Report::default();
        let (mut connections, mut most_gaps) = (0, 0);
        for (client, trace) in traces.iter().enumerate() {
            let followed = topics::followed(client, plan.seed).2;
            let report = ledger.truth.check(&followed, trace);
            sum.events += report.events;
            sum.gaps += report.gaps;
            sum.idle_gaps += report.idle_gaps;
            sum.repeated += report.repeated;
            sum.twice += report.twice;
            sum.unfounded += report.unfounded;
            sum.missed += report.missed;
            sum.unknowable += report.unknowable;
            most_gaps = most_gaps.max(report.gaps);
            connections += trace
                .iter()
                .filter(|seen| matches!(seen, Seen::Opened { .. }))
                .count();
            for [again, first, mark] in report.told_again {
                if sum.told_again.len() < 3 {
                    println!(
                        "  client {client} is told twice, {}",
                        log.around(first, mark)
                    );
                    print_around(trace, first);
                    println!("    ...");
                    print_around(trace, again);
                }
                sum.told_again.push([again, first, mark]);
            }
            for fault in report.faults.iter().take(3) {
                ok = false;
                println!("  client {client} ({followed:?}): {fault:?}");
            }
            if let Some(fault) = report.faults.first().filter(|_| sum.faults.len() < 5) {
                print_around(trace, fault.key());
            }
            sum.faults.extend(report.faults);
            if plan.mode == Mode::Always && report.gaps > 0 {
                ok = false;
                println!("  client {client}: {} false gaps", report.gaps);
            }
        }
        let counts = &self.counts;
        let seconds = start.elapsed().as_secs();
        println!(
            "  {}: {} acknowledged, {} refused, {} unknown; {} delivered over {connections} \
             connections; {} gaps told of {} lost ({} idle, {} repeated, {} twice, {} unfounded, at \
             most {most_gaps} to a client), {} unknowable, {} faults; {} marks; {counts:?}; {seconds} s",
            if ok { "ok" } else { "FAILED" },
            ledger.acknowledged,
            ledger.refused,
            ledger.unknown,
            sum.events,
            sum.gaps,
            sum.missed,
            sum.idle_gaps,
            sum.repeated,
            sum.twice,
            sum.unfounded,
            sum.unknowable,
            sum.faults.len(),
            log.marks.len(),
        );
        totals.acknowledged += ledger.acknowledged;
        totals.deliveries += sum.events;
        totals.gaps += sum.gaps;
        totals.idle_gaps += sum.idle_gaps;
        totals.repeated += sum.repeated;
        totals.twice += sum.twice;
        totals.unfounded += sum.unfounded;
        totals.unknowable += sum.unknowable;
        totals.connections += connections;
        ok
    }
}

/// What a client was sent where something is wrong.
fn print_around(trace: &[Seen], key: Key) {
    let at = trace
        .iter()
        .position(|seen| seen.key().is_some_and(|one| one >= key));
    let at = at.unwrap_or(trace.len());
    for seen in &trace[at.saturating_sub(10)..trace.len().min(at + 10)] {
        println!("    {seen:?}");
    }
}
