//! A key set that is fetched over HTTP: at the start, from time to time, and when a token names a key that is not known.
//!
//! One task fetches. Whoever waits for a key tells it so and waits for the end of the fetch, if one may begin. A set
//! that was fetched stays in use until the next one is there, however long that takes.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result, ensure};
use jsonwebtoken::Validation;
use reqwest::{Client, StatusCode, Url, header::ACCEPT, redirect::Policy};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::{info, warn};

use super::key_set::KeySet;
use crate::{
    defaults::{JWKS_BACKOFF, JWKS_CONNECT_TIMEOUT, JWKS_INTERVAL, JWKS_REFRESH, JWKS_TIMEOUT, MAX_JWKS_BYTES},
    health::Health,
    metrics::Metrics,
};

/// The key set at an address.
pub(super) struct Jwks {
    url: Url,
    client: Client,
    rules: Validation,
    keys: RwLock<Arc<KeySet>>,
    state: watch::Sender<State>,
    /// Somebody has a token with a key that is not known.
    wanted: Notify,
}

#[derive(Clone, Copy)]
enum State {
    /// A request is under way.
    Fetching,
    /// Nobody's token makes another one begin before then.
    Resting(Instant),
}

impl Jwks {
    /// The set at this address, not fetched yet.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(super) fn new(url: Url, rules: Validation) -> Result<Self> {
        let client = Client::builder()
            .user_agent("realtime-gateway")
            // Whoever can make the endpoint redirect must not choose the keys.
            .redirect(Policy::none())
            .connect_timeout(JWKS_CONNECT_TIMEOUT)
            .timeout(JWKS_TIMEOUT)
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .context("GATEWAY_JWKS_URL: cannot set up TLS")?;
        let (state, _) = watch::channel(State::Fetching);
        Ok(Self { url, client, rules, keys: RwLock::default(), state, wanted: Notify::new() })
    }

    /// The set in use, empty before the first fetch.
    pub(super) fn keys(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for a fetch, and waits for its end if it may begin now.
    pub(super) async fn refreshed(&self) {
        let mut state = self.state.subscribe();
        let now = *state.borrow_and_update();
        self.wanted.notify_one();
        if matches!(now, State::Resting(until) if Instant::now() < until) {
            return;
        }
        let ended = state.wait_for(|state| matches!(state, State::Resting(until) if Instant::now() < *until));
        // Late is as good as not at all: the token is then judged by the keys that there are.
        let _ = timeout(JWKS_TIMEOUT, ended).await;
    }

    /// Keeps the set fresh, for ever.
    pub(super) async fn run(self: Arc<Self>, health: Arc<Health>, metrics: Arc<Metrics>) {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            self.state.send_replace(State::Fetching);
            let outcome = self.fetch().await;
            metrics.keys_fetched(outcome.is_ok());
            let pause = match outcome {
                Ok(keys) => {
                    info!(keys = keys.len(), "fetched the key set");
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                    health.keys_known();
                    failures = 0;
                    JWKS_REFRESH
                }
                Err(error) => {
                    warn!(error = format!("{error:#}"), "cannot fetch the key set of GATEWAY_JWKS_URL");
                    failures += 1;
                    (JWKS_BACKOFF.0 * 2u32.saturating_pow(failures - 1)).min(JWKS_BACKOFF.1)
                }
            };
            let earliest = begun + JWKS_INTERVAL;
            self.state.send_replace(State::Resting(earliest));
            tokio::select! {
                () = sleep(pause.mul_f64(rand::random_range(0.8..1.0))) => {}
                () = async { self.wanted.notified().await; sleep_until(earliest).await } => {}
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet> {
        // The address is the operator's; it need not be in the log each time.
        let request = self.client.get(self.url.clone()).header(ACCEPT, "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status();
        ensure!(!status.is_redirection(), "it redirects ({status}), which is not followed; give the final address");
        ensure!(status == StatusCode::OK, "it answers {status}");
        let mut document = Vec::new();
        while let Some(part) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            ensure!(document.len() + part.len() <= MAX_JWKS_BYTES, "it is larger than {MAX_JWKS_BYTES} bytes");
            document.extend_from_slice(&part);
        }
        KeySet::parse(&document, &self.rules)
    }
}
