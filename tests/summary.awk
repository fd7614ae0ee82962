#!/usr/bin/awk -f
# Reads the report of a test run (xunit's XML). Writes a line for each test, separated by tabs: seconds, outcome, name, the file
# with everything that a failed test printed, and its reason.
#   tests/summary.awk -v folder=artifacts/test/failed artifacts/test/tests.xml

BEGIN { RS = "<" } # a record is a tag and the text behind it

function attribute(name, at) {
  at = index($0, " " name "=\"")
  if (at == 0) return ""
  at = substr($0, at + length(name) + 3)
  return plain(substr(at, 1, index(at, "\"") - 1))
}

function content() {
  return plain(substr($0, index($0, ">") + 1))
}

function plain(text) {
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
  gsub(/&#xD;/, "", text); gsub(/&#xA;/, "\n", text); gsub(/&amp;/, "\\&", text)
  return text
}

function finish() {
  gsub(/[ \t\r\n]+/, " ", reason)
  printf "%.3f\t%s\t%s\t%s\t%s\n", seconds, outcome, name, log_file, substr(reason, 1, 240)
  if (log_file != "") close(log_file)
  inside = 0
}

/^test / {
  name = attribute("name"); outcome = attribute("result"); seconds = attribute("time")
  gsub(/[ \t\r\n]+/, " ", name)
  reason = log_file = ""
  inside = 1
  if (outcome == "Fail") {
    log_file = folder "/" ++failures ".log"
    print name > log_file
  }
  if ($0 ~ /\/>[ \t\r\n]*$/) finish()
  next
}

inside && /^\/test>/ { finish(); next }
inside && /^message>/ { reason = content() }
inside && log_file != "" && /^[!a-z]/ { print content() > log_file }
