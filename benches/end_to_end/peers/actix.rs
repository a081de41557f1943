//! actix-web-lab's broadcaster: a bounded channel for each subscriber, and a publisher that waits for
//! room in all of them, as in its example; but one after the other, which takes less than `join_all`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpServer, Responder, web};
use actix_web_lab::sse::{self, Sse};
use bytestring::ByteString;
use tokio::sync::mpsc::{Sender, channel};

use super::{Channel, Flags};
use crate::Outcome;

/// As in its example.
const CAPACITY: usize = 10;

#[derive(Clone)]
struct Broadcaster {
    clients: Arc<Mutex<Vec<Sender<sse::Event>>>>,
    heartbeat: Duration,
}

fn event(id: u64, data: String) -> sse::Event {
    let id = ByteString::from(id.to_string());
    sse::Data::new(data).id(id).into()
}

impl Channel for Broadcaster {
    fn send(&self, id: u64, data: String) {
        let event = event(id, data);
        for client in &*self.clients.lock().unwrap() {
            _ = client.try_send(event.clone());
        }
    }

    async fn send_soon(&self, id: u64, data: String) {
        let event = event(id, data);
        let clients = self.clients.lock().unwrap().clone();
        for client in &clients {
            _ = client.send(event.clone()).await;
        }
    }

    fn behind(&self) -> usize {
        let clients = self.clients.lock().unwrap();
        let behind = |client: &Sender<_>| client.max_capacity() - client.capacity();
        // The first that is behind answers for all: what is asked is whether there is one.
        clients.iter().map(behind).find(|n| *n > 0).unwrap_or(0)
    }
}

async fn events(app: web::Data<Broadcaster>) -> impl Responder {
    let (sender, receiver) = channel(CAPACITY);
    app.clients.lock().unwrap().push(sender);
    Sse::from_infallible_receiver(receiver).with_keep_alive(app.heartbeat)
}

async fn publish(app: web::Data<Broadcaster>, request: HttpRequest) -> impl Responder {
    let query = request.query_string().to_owned();
    super::publish(app.get_ref().clone(), query).await
}

pub(crate) fn run(flags: Flags) -> Outcome<()> {
    let app = web::Data::new(Broadcaster {
        clients: Arc::default(),
        heartbeat: flags.heartbeat,
    });
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(app.clone())
                .route("/events", web::get().to(events))
                .route("/publish", web::post().to(publish))
        });
        // The server has one core.
        let server = server.workers(1).tcp_nodelay(true).disable_signals();
        let server = server.bind(("127.0.0.1", flags.port))?;
        println!("http://{}", server.addrs()[0]);
        server.run().await
    })?;
    Ok(())
}
