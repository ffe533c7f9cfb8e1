"""Run by the Python that QGIS comes with, not by ours: a layer as QGIS reads it, into a GeoPackage.

    python3 by_qgis.py LANDING USER TOKEN AUTHORITY OUT

Told by a script, because `qgis_process` can be given neither a password nor an authority to trust.
"""

import sys
from pathlib import Path

from PyQt5.QtNetwork import QSslCertificate
from qgis.core import QgsApplication, QgsVectorFileWriter, QgsVectorLayer


def main(landing: str, user: str, token: str, authority: str, out: str) -> None:
    app = QgsApplication([], False)
    app.initQgis()
    trusts = app.authManager()
    assert trusts.setMasterPassword("only for this run", True), trusts.disabledMessage()
    (certificate,) = QSslCertificate.fromData(Path(authority).read_bytes())
    assert trusts.storeCertAuthority(certificate)
    assert trusts.rebuildCaCertsCache() and trusts.rebuildTrustedCaCertsCache()
    source = f"url='{landing}' typename='alerts' pageSize='2' username='{user}' password='{token}'"
    layer = QgsVectorLayer(source, "alerts", "OAPIF")
    assert layer.isValid(), layer.dataProvider().error().message()
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    written, why, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(
        layer, out, layer.transformContext(), options
    )
    assert written == QgsVectorFileWriter.NoError, why
    del layer  # before what it lives in
    app.exitQgis()


if __name__ == "__main__":
    main(*sys.argv[1:])
