//! Whatever is not an endpoint: the files of `GATEWAY_STATIC_DIR`, a built web application.
//!
//! A path that is no file but is opened as a page gets `index.html`, so that the application's own addresses survive a
//! reload. Names under `/assets/` carry a hash of their content and are kept for ever; all else is asked for anew.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use actix_files::{NamedFile, PathBufWrap};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    web::{self, Data},
};
use anyhow::{Context, Result, ensure};

use super::Problem;
use crate::app::App;

const INDEX: &str = "index.html";

/// Scripts, connections and pictures from here alone: a text of a customer's that slips into a page can load nothing and
/// send nothing. Styles may stand in the page: libraries put them there.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// On every file.
const GUARDS: [(HeaderName, &str); 3] =
    [(CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "no-referrer")];

/// A folder of files.
#[derive(Debug)]
pub struct Pages {
    folder: PathBuf,
}

impl Pages {
    /// Checks that the folder is there and has a first page.
    ///
    /// # Errors
    /// One line about what is wrong.
    pub fn open(folder: &Path) -> Result<Self> {
        let index = folder.join(INDEX);
        let found = index.metadata().with_context(|| format!("GATEWAY_STATIC_DIR: cannot read {}", index.display()))?;
        ensure!(found.is_file(), "GATEWAY_STATIC_DIR: {} is not a file", index.display());
        Ok(Self { folder: folder.to_owned() })
    }

    /// The file at this path; never one outside of the folder, nor one whose name, or a folder's above it, begins with a dot.
    async fn file(&self, path: &str) -> io::Result<NamedFile> {
        let inside: PathBufWrap = path.parse().map_err(|_| ErrorKind::NotFound)?;
        let inside = inside.as_ref();
        let path = self.folder.join(if inside.as_os_str().is_empty() { Path::new(INDEX) } else { inside });
        let opened = web::block(move || NamedFile::open(path)).await.map_err(io::Error::other)??;
        if opened.metadata().is_file() { Ok(opened) } else { Err(ErrorKind::NotFound.into()) }
    }
}

pub(super) async fn serve(app: Data<Arc<App>>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Some(pages) = app.pages.as_ref().filter(|_| matches!(*request.method(), Method::GET | Method::HEAD)) else {
        return Err(Problem::not_found());
    };
    let file = match pages.file(request.path()).await {
        Ok(file) => file,
        Err(_) if opens_a_page(&request) => pages.file(INDEX).await.map_err(|_| Problem::not_found())?,
        Err(_) => return Err(Problem::not_found()),
    };
    let kept = if is_hashed(request.path()) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = file.disable_content_disposition().prefer_utf8(true).into_response(&request);
    for (name, value) in GUARDS.into_iter().chain([(CACHE_CONTROL, kept)]) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn is_hashed(path: &str) -> bool {
    path.starts_with("/assets/")
}

/// Whether somebody opens this address in a browser. What is asked for by a program has to know that it is not there.
fn opens_a_page(request: &HttpRequest) -> bool {
    let wants_html = |value: &HeaderValue| value.to_str().is_ok_and(|accept| accept.contains("text/html"));
    !is_hashed(request.path())
        && !request.path().starts_with("/v1/")
        && request.headers().get(ACCEPT).is_some_and(wants_html)
}
