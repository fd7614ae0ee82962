// What the servers of a test print belongs to that test: it is shown when the test fails, and is not in the way
// otherwise.
[assembly: CaptureConsole]
