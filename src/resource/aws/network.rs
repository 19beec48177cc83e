//! The way to AWS: TLS only where a call needs it, the proxy that the environment names, and the
//! certificates that `AWS_CA_BUNDLE` names.
//!
//! It is picked call by call: plain, TLS, or through the proxy, each set up when first needed. What
//! is on the machine or its link never goes through a proxy.

use crate::files;
use crate::resource::error::Error;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The variables that name a proxy, in the order in which curl and the SDK read them.
const FOR_HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const FOR_HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// An HTTP client that picks, for each call, one of three: plain, with TLS, or through the proxy.
/// Each is set up when it is first needed, since reading the system's certificates takes time.
#[derive(Debug, Clone)]
pub(super) struct Network(Arc<Ways>);

#[derive(Debug)]
struct Ways {
    /// Whether the environment names a proxy.
    proxy: bool,
    /// The certificates to trust in place of the system's, as PEM.
    bundle: Option<Vec<u8>>,
    plain: OnceLock<SharedHttpClient>,
    tls: OnceLock<SharedHttpClient>,
    proxied: OnceLock<SharedHttpClient>,
}

impl Network {
    /// Looks at the environment; nothing is connected.
    ///
    /// # Errors
    /// When `bundle` holds no usable certificate, or a variable names no usable proxy.
    pub(super) fn new(bundle: Option<&Path>) -> Result<Self, Error> {
        let proxies = [proxy(&FOR_HTTPS)?, proxy(&FOR_HTTP)?];
        Ok(Self(Arc::new(Ways {
            proxy: proxies.contains(&true),
            bundle: bundle.map(certificates).transpose()?,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
            proxied: OnceLock::new(),
        })))
    }
}

impl Ways {
    /// The client for calls of this address.
    fn of(&self, uri: &str) -> &SharedHttpClient {
        if self.proxy && !is_near(uri) {
            self.proxied.get_or_init(|| self.with_tls(true))
        } else if uri.starts_with("http://") {
            self.plain.get_or_init(|| Builder::new().build_http())
        } else {
            self.tls.get_or_init(|| self.with_tls(false))
        }
    }

    fn with_tls(&self, proxied: bool) -> SharedHttpClient {
        let context = self.bundle.as_ref().and_then(|bundle| {
            let store = TrustStore::empty().with_pem_certificate(bundle.clone());
            TlsContext::builder().with_trust_store(store).build().ok()
        });
        // A connector is set up for each pair of timeouts.
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut builder = Connector::builder();
            if let Some(settings) = settings {
                builder = builder.connector_settings(settings.clone());
            }
            builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            if proxied {
                builder = builder.proxy_config(ProxyConfig::from_env());
            }
            let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring));
            match &context {
                Some(context) => builder.tls_context(context.clone()).build(),
                None => builder.build(),
            }
        })
    }
}

impl HttpClient for Network {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Fork {
            ways: Arc::clone(&self.0),
            settings: settings.clone(),
            components: components.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.of("http://localhost").connector_metadata()
    }
}

#[derive(Debug)]
struct Fork {
    ways: Arc<Ways>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Fork {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.ways.of(request.uri());
        client
            .http_connector(&self.settings, &self.components)
            .call(request)
    }
}

/// Whether an address is on this machine or its link: an emulator, or the metadata of an
/// instance, a task or a pod (169.254.169.254, 169.254.170.2, 169.254.170.23, fd00:ec2::254 and
/// fd00:ec2::23), which no proxy reaches.
fn is_near(uri: &str) -> bool {
    let Ok(uri) = uri.parse::<http::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.segments()[..2] == [0xfd00, 0xec2],
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Whether one of these variables names a proxy. The first that is set counts, as in the SDK.
fn proxy(names: &[&'static str]) -> Result<bool, Error> {
    let set = |name: &&'static str| Some((*name, std::env::var_os(name)?));
    let mut found = names.iter().filter_map(set);
    // An empty HTTPS_PROXY hides https_proxy, but not ALL_PROXY.
    let Some((name, value)) = found.find(|(_, value)| !value.is_empty()) else {
        return Ok(false);
    };
    if value.to_str().is_some_and(is_proxy) {
        return Ok(true);
    }
    // The value may hold a password.
    Err(Error::with_hint(
        format!("{name} is not the address of an HTTP proxy"),
        format!("Set {name} to an address such as http://proxy.example.com:8080, or unset it."),
    ))
}

fn is_proxy(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else {
        return false;
    };
    uri.authority().is_some() && matches!(uri.scheme_str(), None | Some("http" | "https"))
}

/// The certificates of a bundle, checked: the HTTP client would panic on one it cannot read.
fn certificates(path: &Path) -> Result<Vec<u8>, Error> {
    let bad = |why: &str| {
        Error::with_hint(
            format!("the certificate bundle {} {why}", path.display()),
            "Let AWS_CA_BUNDLE (or ca_bundle in the AWS profile) name a file of certificates in \
             PEM form, or unset it.",
        )
    };
    let text = files::read(path, files::LARGEST_SETTINGS);
    let text = text.map_err(|why| bad(&format!("could not be read: {}", io::Error::from(why))))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| bad(&format!("is not valid PEM: {error}")))?;
    if found.is_empty() {
        return Err(bad("holds no certificate"));
    }
    let mut roots = RootCertStore::empty();
    for certificate in found {
        let added = roots.add(certificate);
        added.map_err(|error| bad(&format!("holds a certificate that is not usable: {error}")))?;
    }
    Ok(text)
}

/// The bundle that the environment or the profile names; an empty name is none.
pub(super) fn bundle(of_profile: Option<&str>) -> Option<PathBuf> {
    let named = std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from);
    let named = named.or_else(|| of_profile.map(PathBuf::from));
    named.filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine_or_its_link_needs_no_proxy() {
        for uri in [
            "http://127.0.0.1:5000/",
            "https://localhost:4566/x",
            "http://a.localhost/",
            "http://[::1]:80/",
            "http://169.254.169.254/latest/meta-data/",
            "http://169.254.170.2/v2/credentials",
            "http://[fd00:ec2::254]/latest/",
        ] {
            assert!(is_near(uri), "{uri}");
        }
        for uri in [
            "https://sqs.us-west-2.amazonaws.com/",
            "https://10.0.0.1/",
            "http://notlocalhost/",
            "https://[fd00:ec3::1]/",
        ] {
            assert!(!is_near(uri), "{uri}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_of_http() {
        for text in [
            "http://p:8080",
            "https://u:w@p.example.com",
            "p.example.com:3128",
        ] {
            assert!(is_proxy(text), "{text}");
        }
        for text in ["socks5://p:1080", "http://", "/path", "a b"] {
            assert!(!is_proxy(text), "{text}");
        }
    }

    #[test]
    fn a_bundle_that_is_not_usable_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bundle.pem");
        let why = |path: &Path| certificates(path).unwrap_err().to_string();
        assert!(why(&path).contains("could not be read"), "{}", why(&path));
        let with = |text: &str| {
            std::fs::write(&path, text).unwrap();
            why(&path)
        };
        assert!(with("").contains("holds no certificate"));
        let text = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(with(text).contains("is not valid PEM"));
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(with(text).contains("not usable"));
        assert!(with(text).contains("bundle.pem"));
    }
}
