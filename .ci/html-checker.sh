#!/bin/sh
# Fetches the W3C HTML checker (npm vnu-jar) where Java and npm are at hand; says plainly when they are not.
version=26.9.27
[ -f "node_modules/vnu-jar/build/dist/vnu.jar" ] && exit 0
if command -v java >/dev/null && command -v npm >/dev/null; then
    npm install --silent --no-save --no-package-lock --no-audit --no-fund "vnu-jar@$version" >/dev/null 2>&1 && exit 0
    echo "NOTE: the W3C HTML checker could not be installed; its test will say so"
else
    echo "NOTE: no Java or no npm here, so the W3C HTML check does not run"
fi
exit 0
