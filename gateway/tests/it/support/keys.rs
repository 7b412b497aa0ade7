//! Key pairs, made anew for each run by the `openssl` command: no private key lies in the repository.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use serde_json::{Value, json};
use tempfile::TempDir;

type ReadPem = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;

/// A private key to sign with, and the file of its public half.
pub(crate) struct KeyPair {
    pub(crate) private: EncodingKey,
    pub(crate) public_file: PathBuf,
    _folder: TempDir,
}

impl KeyPair {
    /// A key of the family that `algorithm` belongs to.
    pub(crate) fn generate(algorithm: Algorithm) -> Self {
        let (options, read): (&[&str], ReadPem) = match algorithm {
            Algorithm::ES256 => (&["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], EncodingKey::from_ec_pem),
            Algorithm::EdDSA => (&["ED25519"], EncodingKey::from_ed_pem),
            _ => (&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], EncodingKey::from_rsa_pem),
        };
        let folder = TempDir::new().unwrap();
        let public_file = folder.path().join("public.pem");
        let private_file = make_public_key(options, &public_file);
        let private = read(&std::fs::read(private_file).unwrap()).unwrap();
        Self { private, public_file, _folder: folder }
    }

    /// The public half as a member of a key set.
    pub(crate) fn jwk(&self, kid: &str, algorithm: Algorithm) -> Value {
        let mut jwk = json!(Jwk::from_encoding_key(&self.private, algorithm).unwrap());
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        jwk
    }

    /// The path of the public half, for `GATEWAY_JWT_PUBLIC_KEY_FILE`.
    pub(crate) fn public_path(&self) -> &str {
        self.public_file.to_str().unwrap()
    }
}

/// Makes a key with these options of `openssl genpkey -algorithm`, and writes its public half; the file of the private one.
pub(crate) fn make_public_key(options: &[&str], public_file: &Path) -> PathBuf {
    let private_file = public_file.with_extension("private");
    run_openssl(&[&["genpkey", "-algorithm"], options].concat(), &private_file);
    run_openssl(&["pkey", "-pubout", "-in", private_file.to_str().unwrap()], public_file);
    private_file
}

pub(super) fn run_openssl(arguments: &[&str], output: &Path) {
    let done = Command::new("openssl").args(arguments).arg("-out").arg(output).output().expect("openssl runs");
    assert!(done.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
