//! What arrives on channels without having gone through the log, and what is published twice.

use futures_util::future::try_join_all;
use shared::keys;

use crate::drill::Drill;

pub(super) async fn twice(drill: &mut Drill) -> anyhow::Result<()> {
    for _ in 0..5 {
        let companies: Vec<_> = (0..10).map(|_| drill.any_company()).collect();
        try_join_all(companies.iter().map(|company| drill.sender.publish_twice(company))).await?;
    }
    Ok(())
}

/// An old service that knows nothing of cursors, and records that are nearly right.
pub(super) async fn without_cursor(drill: &mut Drill) -> anyhow::Result<()> {
    for text in ["hello", "", "{\"type\":\"devis:signed\"}", "1", "1 x a:b {}", "2 7-1 a:b {}", "1 7-1 a:b", "\0 \0"] {
        let channel = keys::channel(&drill.any_company());
        drill.site.redis.command::<i64>(&["PUBLISH", &channel, text]).await?;
    }
    Ok(())
}

pub(super) async fn noise(drill: &mut Drill) -> anyhow::Result<()> {
    let company = drill.any_company();
    let long = format!("company:{}", "x".repeat(10_000));
    for channel in ["company:", "company:1:x", &long, "company:*", "company:nobody", "other", &company.to_string()] {
        for text in ["1 7-1 a:b {\"frame\":\"event\",\"id\":\"7-1\"}", "noise", &"x".repeat(100_000)] {
            drill.site.redis.command::<i64>(&["PUBLISH", channel, text]).await?;
        }
    }
    Ok(())
}
