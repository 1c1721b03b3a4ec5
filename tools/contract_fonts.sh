#!/usr/bin/env bash
# Makes the contract's typefaces again: Google's Noto, as packed for npm, cut to what a contract needs. Run from the root, in the venv.
# The result is committed (layers/shared/bloxtr8/documents/fonts), so that no build depends on it. Origin and licence: see there.
set -euo pipefail

OUT="$PWD/layers/shared/bloxtr8/documents/fonts"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

cut() { # package@version, file in it, name of the face, code points [, layout features]
  local package="@expo-google-fonts/$1"
  (cd "$WORK" && rm -rf package && tar xzf "$(npm pack --silent "$package" | tail -1)")
  pyftsubset "$WORK/package/$2.ttf" --output-file="$OUT/$3.ttf" --unicodes="$4" --layout-features="${5-*}" --name-IDs='*' \
    --no-hinting --drop-tables+=vmtx,vhea,VORG,MATH,DSIG,STAT,meta
}

script() { # package's script@version, the script as the face's name has it
  cut "noto-sans-$1" "400Regular/NotoSans$2_400Regular" "NotoSans$2-Regular" "${3-*}"
}

rm -f "$OUT"/*.ttf
cut noto-sans@0.4.2 400Regular/NotoSans_400Regular NotoSans-Regular '*'
cut noto-sans@0.4.2 700Bold/NotoSans_700Bold NotoSans-Bold '*'
script arabic@0.4.3 Arabic
script armenian@0.4.2 Armenian
script bengali@0.4.4 Bengali
script canadian-aboriginal@0.4.1 CanadianAboriginal
script cherokee@0.4.2 Cherokee
script ethiopic@0.4.2 Ethiopic
script georgian@0.4.3 Georgian
script gujarati@0.4.2 Gujarati
script gurmukhi@0.4.1 Gurmukhi
script hebrew@0.4.1 Hebrew
script javanese@0.4.2 Javanese
script kannada@0.4.3 Kannada
script khmer@0.4.3 Khmer
script lao@0.4.2 Lao
script malayalam@0.4.2 Malayalam
script math@0.4.2 Math 20,2030-2BFF,1D400-1D7FF
script myanmar@0.4.2 Myanmar
script oriya@0.4.2 Oriya
script sinhala@0.4.2 Sinhala
script symbols@0.4.1 Symbols
script symbols-2@0.4.1 Symbols2 20,2000-2BFF,1F000-1FAFF
script tamil@0.4.3 Tamil
script telugu@0.4.2 Telugu
script thaana@0.4.2 Thaana
script thai@0.4.2 Thai
cut noto-serif-tibetan@0.4.2 400Regular/NotoSerifTibetan_400Regular NotoSerifTibetan-Regular '*'
cut noto-emoji@0.4.7 400Regular/NotoEmoji_400Regular NotoEmoji-Regular '*'
# Chinese and Japanese share one face: every character of the block CJK Unified Ideographs, in its mainland form.
cut noto-sans-sc@0.4.3 400Regular/NotoSansSC_400Regular NotoSansSC-Regular \
  20,2E80-2FDF,3000-312F,31A0-31BF,31F0-33FF,4E00-9FFF,FE30-FE4F,FF00-FFEF ''
cut noto-sans-kr@0.4.3 400Regular/NotoSansKR_400Regular NotoSansKR-Regular 20,3130-318F,AC00-D7A3 ''
