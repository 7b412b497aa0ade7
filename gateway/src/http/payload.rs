use actix_web::web;
use bytes::Bytes;
use tokio::time::timeout;

use super::Problem;
use crate::defaults::BODY_TIMEOUT;

/// Reads a request's body, bounded in size and time.
pub(super) async fn read(payload: web::Payload, most: usize) -> Result<Bytes, Problem> {
    match timeout(BODY_TIMEOUT, payload.to_bytes_limited(most)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(error))) => Err(Problem::bad_request("bad_request", &format!("the body broke off: {error}"))),
        Ok(Err(_)) => Err(Problem::too_large(&format!("the body may have {most} bytes"))),
        Err(_) => Err(Problem::bad_request("bad_request", "the body took too long")),
    }
}
