#!/usr/bin/awk -f
# Reads the report of a test run (trx). Writes a line for each test, separated by tabs: seconds, outcome, name, the file
# with everything that a failed test printed, and its reason.
#   tests/summary.awk -v folder=artifacts/test/failed artifacts/test/tests.trx

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

/^UnitTestResult / {
  name = attribute("testName"); outcome = attribute("outcome")
  gsub(/[ \t\r\n]+/, " ", name)
  split(attribute("duration"), time, ":")
  seconds = time[1] * 3600 + time[2] * 60 + time[3]
  reason = log_file = ""
  inside = 1
  if (outcome == "Failed") {
    log_file = folder "/" ++failures ".log"
    print name > log_file
  }
  if ($0 ~ /\/>[ \t\r\n]*$/) finish()
  next
}

inside && /^\/UnitTestResult>/ { finish(); next }
inside && /^ErrorInfo>/ { in_error = 1 }
inside && /^\/ErrorInfo>/ { in_error = 0 }
inside && in_error && /^Message>/ { reason = content() }
inside && log_file != "" && /^[A-Z]/ { print content() > log_file }
