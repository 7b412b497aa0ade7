//! The only file that wires: configuration in, a running replica out.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::HttpService;
use actix_rt::net::TcpStream;
use actix_server::Server;
use actix_service::{Service, ServiceFactory, fn_service, map_config};
use actix_web::{HttpServer, dev::AppConfig, middleware::from_fn, web};
use anyhow::{Context, Result};
use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::{info, warn};

use crate::{
    app::App,
    auth::{Origin, Origins, Revocations, Verifier},
    backplane::{Backplane, Embedded, Redis, signals},
    config::{KeySource, ServeConfig, raise_descriptors},
    defaults::{HANDSHAKE_TIMEOUT, KEEP_ALIVE, LISTEN_BACKLOG, TCP_USER_TIMEOUT},
    dispatcher::Dispatcher,
    door::{self, Door, PublishRate},
    fleet,
    health::Health,
    http::{self, Pages},
    metrics::Metrics,
    quota::Quota,
    session,
    shutdown::{Signals, drain},
    traces::Traces,
    worker::Worker,
};

/// A replica that is ready to run.
pub struct Application {
    app: Arc<App>,
    public: TcpListener,
    admin: TcpListener,
    workers: usize,
}

impl Application {
    /// Checks the configuration, takes the ports and connects the parts. Redis need not be there.
    ///
    /// # Errors
    /// One line about what is wrong.
    pub fn build(config: ServeConfig, traces: Traces) -> Result<Self> {
        let verifier = Verifier::new(&key_source(&config)?, &config.auth)?;
        let pages = config.pages.static_dir.as_deref().map(Pages::open).transpose()?;
        let public = listen(config.listen.listen, "GATEWAY_LISTEN")?;
        let admin = listen(config.listen.admin_listen, "GATEWAY_ADMIN_LISTEN")?;
        let metrics = Metrics::new();
        let descriptors = raise_descriptors();
        let health = Arc::new(Health::new(config.limits.connection_cap(descriptors)));
        verifier.start(&health, &metrics);
        let door = Door::new(&config.limits, descriptors, health.clone());
        let revocations = Revocations::new();
        let tls = config.redis.tls()?;
        let (sender, receiver) = signals(metrics.clone());
        let (backplane, redis): (Arc<dyn Backplane>, _) = match &config.redis.redis_url {
            Some(url) => {
                let redis = Redis::start(url, tls, sender, revocations.clone(), metrics.clone())?;
                let quota = redis.quota();
                (redis, Some(quota))
            }
            None => {
                warn!("GATEWAY_REDIS_URL is not set: events are kept in memory, for this replica alone");
                (Embedded::start(sender, revocations.clone()), None)
            }
        };
        let quota = Quota::start(&config.limits, redis, metrics.clone());
        let dispatcher = Dispatcher::start(backplane.clone(), receiver, health.clone(), metrics.clone());
        let percent = config.pace.rebalance;
        tokio::spawn(fleet::run(backplane.clone(), dispatcher.clone(), health.clone(), metrics.clone(), percent));
        let mut origins = config.auth.allowed_origins;
        if config.dev {
            origins.push(Origin::AnyPort("http://localhost".into()));
        }
        let app = App {
            verifier,
            revocations,
            revocation_lasts: Duration::from_secs(config.auth.revocation_secs),
            origins: Origins::new(origins),
            door,
            quota,
            publish_rate: PublishRate::per_second(config.limits.publishes_per_second),
            health,
            metrics,
            traces,
            pace: config.pace,
            pages,
            backplane,
            dispatcher,
        };
        Ok(Self { app: Arc::new(app), public, admin, workers: config.listen.worker_count() })
    }

    /// What its workers share.
    #[cfg(any(test, feature = "benching"))]
    pub(crate) fn app(&self) -> Arc<App> {
        self.app.clone()
    }

    /// Serves until the first SIGTERM or SIGINT, or `POST /drain`, then drains; a second signal ends it at once.
    ///
    /// # Errors
    /// When a server fails.
    pub async fn run(self) -> Result<()> {
        let mut signals = Signals::new().context("cannot listen for signals")?;
        let (public, admin) = (self.public.local_addr()?, self.admin.local_addr()?);
        let app = self.app.clone();
        let server = Server::build()
            .workers(self.workers)
            .disable_signals()
            .shutdown_timeout(1)
            .listen("public", self.public, move || public_service(app.clone()))?
            .run();
        let app = web::Data::new(self.app.clone());
        let admin_server = HttpServer::new(move || {
            actix_web::App::new().wrap(from_fn(http::let_go)).app_data(app.clone()).configure(http::admin_routes)
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(self.admin)?
        .run();
        let (public_handle, admin_handle) = (server.handle(), admin_server.handle());
        let servers = actix_rt::spawn(async move { tokio::try_join!(server, admin_server) });
        info!(
            %public,
            %admin,
            workers = self.workers,
            connections_limit = self.app.health.limit(),
            "listening"
        );
        tokio::pin!(servers);
        let health = &self.app.health;
        tokio::select! {
            () = signals.next() => health.drain(),
            // The signal that follows a request, as an orchestrator sends it, is the first.
            () = health.until_draining() => signals.spare(),
            ended = &mut servers => anyhow::bail!("a server ended by itself: {ended:?}"),
        }
        let patient = tokio::select! {
            () = drain(&self.app) => true,
            () = signals.next() => {
                warn!(left = health.connections(), "second signal: not waiting for sessions");
                false
            }
        };
        tokio::join!(public_handle.stop(patient), admin_handle.stop(false));
        servers.await.context("a server panicked")?.context("a server failed")?;
        info!("stopped");
        Ok(())
    }
}

/// The public service of one worker: upgrades become sessions, everything else is for the HTTP routes.
fn public_service(app: Arc<App>) -> impl ServiceFactory<TcpStream, Config = (), Response = (), InitError = ()> {
    let worker = Worker::start(app.clone());
    let metrics = app.metrics.clone();
    let routes = actix_web::App::new()
        .wrap(http::cors(app.clone()))
        .wrap(from_fn(http::let_go))
        .wrap_fn(move |request, service| {
            let (response, metrics) = (service.call(request), metrics.clone());
            async move { response.await.inspect(|response| http::count_refusal(&metrics, response)) }
        })
        .app_data(web::Data::new(app))
        .app_data(worker.clone())
        .configure(http::routes);
    let upgrader = worker.clone();
    let http = HttpService::build()
        .client_request_timeout(HANDSHAKE_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        // A client that has gone is to be noticed at once, not at the second write.
        .h1_allow_half_closed(false)
        // Boxed, so that it is no part of what every HTTP connection takes and is copied with.
        .upgrade(fn_service(move |(request, framed)| Box::pin(session::upgrade(upgrader.clone(), request, framed))))
        .h1(door::heard(worker.clone(), map_config(routes, |()| AppConfig::default())))
        .tcp();
    door::guarded(worker, http)
}

fn key_source(config: &ServeConfig) -> Result<KeySource> {
    match config.auth.key_source()? {
        Some(source) => Ok(source),
        None if config.dev => {
            let secret = Alphanumeric.sample_string(&mut rand::rng(), 48);
            warn!("DEVELOPMENT MODE: http://localhost:* may connect, and tokens are signed with a secret for this run");
            warn!("make a token with: GATEWAY_JWT_SECRET={secret} gateway token --company acme --user me");
            Ok(KeySource::Secret(SecretString::from(secret)))
        }
        None => anyhow::bail!(
            "no source of keys; set one of GATEWAY_JWT_SECRET, GATEWAY_JWT_SECRET_FILE, GATEWAY_JWT_PUBLIC_KEY_FILE, \
             GATEWAY_JWKS_URL, or try --dev"
        ),
    }
}

/// Takes a port, with a queue that is long enough for a storm of reconnecting clients.
fn listen(address: SocketAddr, variable: &str) -> Result<TcpListener> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        // Accepted connections inherit it.
        socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT))?;
        socket.bind(&address.into())?;
        socket.listen(LISTEN_BACKLOG)?;
        socket.set_nonblocking(true)?;
        std::io::Result::Ok(TcpListener::from(socket))
    };
    bind().with_context(|| format!("{variable}: cannot listen on {address}"))
}
