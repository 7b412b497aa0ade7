use super::*;

fn sentinels(url: &str) -> Sentinels {
    match parse(url, &Tls::new()) {
        Ok(Kind::Sentinels(sentinels)) => sentinels,
        Ok(Kind::Server(_) | Kind::Cluster(_)) => panic!("{url}: no sentinels"),
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
fn a_cluster() {
    for (url, hosts, password) in [
        ("redis+cluster://a", vec![("a", 6379)], None),
        (
            "redis+cluster://:p%40+@10.0.0.1:7000,b,[::1]:3/",
            vec![("10.0.0.1", 7000), ("b", 6379), ("::1", 3)],
            Some("p@+"),
        ),
        ("rediss+cluster://api:p@a:1,b:2/0", vec![("a", 1), ("b", 2)], Some("p")),
    ] {
        let Ok(Kind::Cluster(cluster)) = parse(url, &Tls::new()) else { panic!("{url}") };
        let seeds: Vec<_> = cluster.seeds.iter().map(|node| (node.host.as_str(), node.port)).collect();
        assert_eq!(seeds, hosts, "{url}");
        let other = cluster.client(&Node { host: "other".into(), port: 9 }).unwrap();
        let other = other.get_connection_info();
        assert_eq!(other.redis_settings().password(), password, "{url}");
        let secure = matches!(other.addr(), ConnectionAddr::TcpTls { insecure: false, .. });
        assert_eq!(secure, url.starts_with("rediss"), "{url}");
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
        ("redis+cluster://", "Missing hostname"),
        ("redis+cluster://a,", "Missing hostname"),
        ("redis+cluster://a/1", "one database"),
        ("redis+cluster://a?x=1", "one database"),
        ("redis+cluster://a:x", "malformed"),
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
    let whole = "redis+sentinel://hunter1:hunter2@hunter3,b:1/hunter4/5?sentinelUser=hunter6&sentinelPassword=hunter7";
    let server = "redis://hunter1:hunter2@hunter3:6379/5?protocol=hunter6";
    let secure = "rediss://hunter1:hunter2@hunter3:6379/5#hunter6";
    let cluster = "redis+cluster://hunter1:hunter2@hunter3:6379,hunter4/0";
    let mut refused = 0;
    for url in [whole, server, secure, cluster] {
        for at in 0..url.len() {
            for spoilt in [":", "/", "?", "#", "@", ",", "%", "[", "]", "\\", " ", "\0", "\n", "é", "%00", "%ff", ""] {
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
