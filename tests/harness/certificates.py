"""A certificate authority for one test, and what a Cassandra node needs to speak TLS with clients that it knows."""

from __future__ import annotations

from pathlib import Path

from .process import run

_PASSWORD = "keystore"


class Authority:
    """Keeps everything in `directory`, as PEM files `<name>.pem` and `<name>.key`; its own certificate is `ca.pem`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        self.certificate = directory / "ca.pem"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
                 "-keyout", directory / "ca.key", "-out", self.certificate)

    def issue(self, name: str, subject_alternative: str) -> tuple[Path, Path]:
        """The certificate for the name (`IP:127.0.0.1`, `DNS:node1`), and its key."""
        certificate, key, request = (self._directory / f"{name}{suffix}" for suffix in (".pem", ".key", ".csr"))
        extensions = self._directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={subject_alternative}\n")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-days", "2", "-in", request, "-CA", self.certificate,
                 "-CAkey", self._directory / "ca.key", "-CAcreateserial", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def client_encryption(self, address: str) -> str:
        """For cassandra.yaml: TLS for clients with a certificate of this authority, and none for those that ask for none."""
        certificate, key = self.issue("node", f"IP:{address}")
        stores = {name: self._directory / f"{name}.p12" for name in ("keystore", "truststore")}
        _openssl("pkcs12", "-export", "-in", certificate, "-inkey", key, "-passout", f"pass:{_PASSWORD}",
                 "-out", stores["keystore"])
        run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", self.certificate, "-storetype", "PKCS12",
             "-storepass", _PASSWORD, "-keystore", stores["truststore"]]).require_success()
        for store in stores.values():
            store.chmod(0o644)
        lines = [f"  {name}: {path}\n  {name}_password: {_PASSWORD}\n" for name, path in stores.items()]
        options = "  enabled: true\n  optional: true\n  require_client_auth: true\n  store_type: PKCS12\n"
        return "client_encryption_options:\n" + options + "".join(lines)


def _openssl(*arguments: str | Path) -> None:
    run(["openssl", *arguments]).require_success()
