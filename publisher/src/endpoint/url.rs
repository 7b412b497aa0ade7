//! The forms of a URL. Whatever is wrong is said without repeating any of it but the scheme.

use std::borrow::Cow;

use deadpool_redis::redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsCertificates,
    parse_redis_url,
};

use super::{Cluster, Kind, Node, Sentinels, client};
use crate::{Tls, defaults};

const SERVER: &str = "redis[s]://[user:password@]host[:port][/db]";
const SENTINEL: &str = "redis+sentinel://[user:password@]host[:port][,host[:port]...]/master-name[/db]";

const CLUSTER: &str = "redis[s]+cluster://[user:password@]host[:port][,host[:port]...]";

pub(super) fn parse(url: &str, tls: &Tls) -> Result<Kind, String> {
    match url.split_once("://") {
        Some(("rediss", _)) => {
            let server = url.into_connection_info().and_then(client).map_err(|error| unlike(SERVER, &error))?;
            over_tls(server.get_connection_info(), tls).map(Kind::Server)
        }
        Some(("rediss+cluster", rest)) => {
            let certificates = tls.certificates()?;
            let cluster = cluster("rediss", rest, Some(certificates));
            cluster.map(Kind::Cluster).map_err(|error| format!("{error}; expected {CLUSTER}"))
        }
        Some(_) if !tls.is_empty() => {
            Err("certificates go with a URL that begins with rediss:// or rediss+cluster://".into())
        }
        Some(("redis" | "unix", _)) => {
            let client = url.into_connection_info().and_then(client);
            client.map(Kind::Server).map_err(|error| unlike(SERVER, &error))
        }
        Some(("redis+sentinel", rest)) => {
            sentinels(rest).map(Kind::Sentinels).map_err(|error| format!("{error}; expected {SENTINEL}"))
        }
        Some(("redis+cluster", rest)) => {
            let cluster = cluster("redis", rest, None);
            cluster.map(Kind::Cluster).map_err(|error| format!("{error}; expected {CLUSTER}"))
        }
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'+') => {
            let known = "redis://, rediss://, redis+sentinel:// or redis+cluster://";
            Err(format!("the scheme {scheme}:// is not supported, use {known}"))
        }
        _ => Err(format!("expected {SERVER}, {SENTINEL} or {CLUSTER}")),
    }
}

/// The same client, with its certificates.
fn over_tls(server: &ConnectionInfo, tls: &Tls) -> Result<Client, String> {
    if let ConnectionAddr::TcpTls { insecure: true, .. } = server.addr() {
        return Err("#insecure is not supported: give the authority that signed the server's certificate".into());
    }
    Client::build_with_tls(server.clone(), tls.certificates()?).map_err(|error| description(&error))
}

fn unlike(form: &str, error: &RedisError) -> String {
    format!("{}; expected {form}", description(error))
}

/// Reads what comes after the scheme.
///
/// A URL has one host. So this is as many URLs as there are hosts, each with all the rest, and what reads the one form
/// reads the other.
fn sentinels(text: &str) -> Result<Sentinels, String> {
    let (authority, rest) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    // Forms write a space as a plus sign. Nobody writes a URL of Redis in a form, but passwords have plus signs.
    let rest = rest.replace('+', "%2B");
    let (mut clients, mut addresses, mut master) = (Vec::new(), Vec::new(), None);
    for host in hosts.split(',') {
        let mut url = parse_redis_url(&format!("redis://{user}{host}{rest}")).ok_or("malformed")?;
        let credentials = credentials(url.query_pairs())?;
        if url.fragment().is_some() {
            return Err("a # that belongs to a password is written %23".into());
        }
        let (name, db) = master_and_db(url.path())?;
        url.set_path(&format!("/{db}"));
        let server = url.clone().into_connection_info().map_err(|error| description(&error))?;
        let ConnectionAddr::Tcp(host, _) = server.addr() else { return Err("malformed".into()) };
        let address = ConnectionAddr::Tcp(host.clone(), url.port().unwrap_or(defaults::SENTINEL_PORT));
        // One that is given twice has one vote.
        if !addresses.contains(&address) {
            let sentinel = server.clone().set_addr(address.clone()).set_redis_settings(credentials);
            clients.push(client(sentinel).map_err(|error| description(&error))?);
            addresses.push(address);
        }
        master = Some((name, server));
    }
    let (name, server) = master.ok_or("malformed")?;
    Ok(Sentinels { sentinels: clients.into(), name, server })
}

/// Reads what comes after the scheme of a cluster, by the same trick.
fn cluster(scheme: &str, text: &str, certificates: Option<TlsCertificates>) -> Result<Cluster, String> {
    let (authority, rest) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    if !matches!(rest, "" | "/" | "/0") {
        return Err("a cluster has one database, and nothing follows the hosts".into());
    }
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let (mut seeds, mut server) = (Vec::new(), None);
    for host in hosts.split(',') {
        let url = parse_redis_url(&format!("{scheme}://{user}{host}")).ok_or("malformed")?;
        let info = url.into_connection_info().map_err(|error| description(&error))?;
        let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = info.addr() else {
            return Err("malformed".into());
        };
        seeds.push(Node { host: host.clone(), port: *port });
        server = Some(info);
    }
    let cluster = Cluster { seeds: seeds.into(), server: server.ok_or("malformed")?, certificates };
    cluster.any().map_err(|error| description(&error))?;
    Ok(cluster)
}

/// The credentials for the sentinels.
fn credentials<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<RedisConnectionInfo, String> {
    let mut settings = RedisConnectionInfo::default();
    for (name, value) in pairs {
        settings = match &*name {
            "sentinelUser" => settings.set_username(value),
            "sentinelPassword" => settings.set_password(value),
            _ => return Err("after the ? only sentinelUser and sentinelPassword are known".into()),
        };
    }
    if settings.username().is_some() && settings.password().is_none() {
        return Err("sentinelUser goes with sentinelPassword".into());
    }
    Ok(settings)
}

fn master_and_db(path: &str) -> Result<(String, u32), String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let (name, db) = path.split_once('/').unwrap_or((path, "0"));
    if name.is_empty() {
        return Err("the master's name is missing".into());
    }
    // Sentinel allows no others.
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
        return Err("a master's name consists of letters, digits and .-_".into());
    }
    let db = db.parse().map_err(|_| "the database is not a number")?;
    Ok((name.to_owned(), db))
}

/// The part of an error of the driver that is always the same; behind it may be what it was given.
fn description(error: &RedisError) -> String {
    let text = error.to_string();
    text.split(" - ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
