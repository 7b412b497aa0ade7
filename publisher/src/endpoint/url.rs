//! The forms of a URL. Whatever is wrong is said without repeating any of it but the scheme.

use std::borrow::Cow;

use deadpool_redis::redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError, parse_redis_url,
};

use super::{Kind, Sentinels, client};
use crate::{Tls, defaults};

const SERVER: &str = "redis[s]://[user:password@]host[:port][/db]";
const SENTINEL: &str = "redis+sentinel://[user:password@]host[:port][,host[:port]...]/master-name[/db]";

pub(super) fn parse(url: &str, tls: &Tls) -> Result<Kind, String> {
    match url.split_once("://") {
        Some(("rediss", _)) => {
            let server = url.into_connection_info().and_then(client).map_err(|error| unlike(SERVER, &error))?;
            over_tls(server.get_connection_info(), tls).map(Kind::Server)
        }
        Some(_) if !tls.is_empty() => Err("certificates go with a URL that begins with rediss://".into()),
        Some(("redis" | "unix", _)) => {
            let client = url.into_connection_info().and_then(client);
            client.map(Kind::Server).map_err(|error| unlike(SERVER, &error))
        }
        Some(("redis+sentinel", rest)) => {
            sentinels(rest).map(Kind::Sentinels).map_err(|error| format!("{error}; expected {SENTINEL}"))
        }
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'+') => {
            Err(format!("the scheme {scheme}:// is not supported, use redis://, rediss:// or redis+sentinel://"))
        }
        _ => Err(format!("expected {SERVER} or {SENTINEL}")),
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
mod tests {
    use super::*;

    fn sentinels(url: &str) -> Sentinels {
        match parse(url, &Tls::new()) {
            Ok(Kind::Sentinels(sentinels)) => sentinels,
            Ok(Kind::Server(_)) => panic!("{url}: a server"),
            Err(error) => panic!("{url}: {error}"),
        }
    }

    fn addresses(sentinels: &Sentinels) -> Vec<String> {
        sentinels.sentinels.iter().map(|one| one.get_connection_info().addr().to_string()).collect()
    }

    #[test]
    fn a_server() {
        for url in [
            "redis://redis",
            "redis://10.0.0.1:6380/2",
            "redis://:p%40ss@redis",
            "rediss://redis/1",
            "unix:///run/redis.sock",
        ] {
            assert!(matches!(parse(url, &Tls::new()), Ok(Kind::Server(_))), "{url}");
        }
    }

    #[test]
    fn sentinels_and_master() {
        for (url, hosts, db) in [
            ("redis+sentinel://a/main.-_1", vec!["a:26379"], 0),
            ("redis+sentinel://a:1,b,[::1]:3/main.-_1/", vec!["a:1", "b:26379", "::1:3"], 0),
            ("redis+sentinel://a,a,a:26379,b/main.-_1/15", vec!["a:26379", "b:26379"], 15),
            (
                "redis+sentinel://10.0.0.1:1,s-0.redis.svc:2/main.-_1?sentinelPassword=x",
                vec!["10.0.0.1:1", "s-0.redis.svc:2"],
                0,
            ),
        ] {
            let sentinels = sentinels(url);
            assert_eq!(addresses(&sentinels), hosts, "{url}");
            assert_eq!(sentinels.name, "main.-_1");
            assert_eq!(sentinels.server.redis_settings().db(), db, "{url}");
            assert_eq!(sentinels.server.redis_settings().password(), None);
        }
    }

    #[test]
    fn credentials_go_where_they_belong() {
        let url = "redis+sentinel://api:a%2F,%40+%25@a,b/main/1?sentinelUser=watch&sentinelPassword=c+d%26%20e";
        let sentinels = sentinels(url);
        let server = sentinels.server.redis_settings();
        assert_eq!((server.username(), server.password()), (Some("api"), Some("a/,@+%")));
        for sentinel in &*sentinels.sentinels {
            let settings = sentinel.get_connection_info().redis_settings();
            assert_eq!((settings.username(), settings.password()), (Some("watch"), Some("c+d& e")));
            assert_eq!(settings.db(), 0, "sentinels have no databases");
        }
        let alone = self::sentinels("redis+sentinel://:a@a/main?sentinelPassword=b");
        assert_eq!(alone.server.redis_settings().username(), None);
        let settings = alone.sentinels[0].get_connection_info().redis_settings();
        assert_eq!((settings.username(), settings.password()), (None, Some("b")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, says) in [
            ("", "expected redis"),
            ("redis", "expected redis"),
            ("redis://", "Missing hostname"),
            ("redis://redis/x", "Invalid database number"),
            ("rediss://redis/x", "Invalid database number"),
            ("rediss://redis/#insecure", "authority"),
            ("rediss+sentinel://a/main", "not supported"),
            ("http://redis", "http://"),
            ("redis+sentinel://", "master's name"),
            ("redis+sentinel:///main", "Missing hostname"),
            ("redis+sentinel://a", "master's name"),
            ("redis+sentinel://a/", "master's name"),
            ("redis+sentinel://a//1", "master's name"),
            ("redis+sentinel://a/ma%20in", "letters"),
            ("redis+sentinel://a/main/x", "database"),
            ("redis+sentinel://a/main/-1", "database"),
            ("redis+sentinel://a/main/1/2", "database"),
            ("redis+sentinel://a,,b/main", "Missing hostname"),
            ("redis+sentinel://a,/main", "Missing hostname"),
            ("redis+sentinel://a:x/main", "malformed"),
            ("redis+sentinel://a:99999/main", "malformed"),
            ("redis+sentinel://0.0.0.0/main", "wildcard"),
            ("redis+sentinel://a b/main", "malformed"),
            ("redis+sentinel://a/main#x", "%23"),
            ("redis+sentinel://a/main?db=1", "sentinelPassword"),
            ("redis+sentinel://a/main?sentinelUser=b", "goes with"),
        ] {
            match parse(url, &Tls::new()) {
                Err(error) => assert!(error.contains(says), "{url}: {error}"),
                Ok(_) => panic!("{url} is accepted"),
            }
        }
    }

    #[test]
    fn certificates_are_checked_and_go_with_tls_alone() {
        let garbage = "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n";
        for (url, tls, says) in [
            ("redis://redis", Tls::new().authority("x"), "rediss://"),
            ("redis+sentinel://a/main", Tls::new().authority("x"), "rediss://"),
            ("rediss://redis", Tls::new().authority("hunter2"), "authority: no certificate"),
            ("rediss://redis", Tls::new().authority(garbage), "trust anchors"),
            ("rediss://redis", Tls::new().authority(garbage.replace("2", "!")), "authority: malformed"),
            ("rediss://redis", Tls::new().identity("hunter2", "hunter2"), "client's certificate"),
        ] {
            match parse(url, &tls) {
                Err(error) => assert!(error.contains(says) && !error.contains("hunter2"), "{url}: {error}"),
                Ok(_) => panic!("{url} is accepted"),
            }
        }
    }

    /// Every way to spoil one character: no panic, and no secret in what is said of it.
    #[test]
    fn garbage_is_refused_without_repeating_it() {
        let whole =
            "redis+sentinel://hunter1:hunter2@hunter3,b:1/hunter4/5?sentinelUser=hunter6&sentinelPassword=hunter7";
        let server = "redis://hunter1:hunter2@hunter3:6379/5?protocol=hunter6";
        let secure = "rediss://hunter1:hunter2@hunter3:6379/5#hunter6";
        let mut refused = 0;
        for url in [whole, server, secure] {
            for at in 0..url.len() {
                for spoilt in
                    [":", "/", "?", "#", "@", ",", "%", "[", "]", "\\", " ", "\0", "\n", "é", "%00", "%ff", ""]
                {
                    for rest in [&url[at..], &url[at + 1..]] {
                        let url = format!("{}{spoilt}{rest}", &url[..at]);
                        if let Err(error) = parse(&url, &Tls::new()) {
                            assert!(!error.contains("hunter"), "{url}: {error}");
                            refused += 1;
                        }
                    }
                }
            }
        }
        assert!(refused > 1_000, "{refused}");
    }
}
