namespace MinimalMcp.Load;

internal static class Usage
{
    public const string Text = """
        Puts load on the server and reports whether it holds.
        Exit code: 0 every threshold is met, 1 one is broken, 2 the test could not run.

          scripts/load-test                                    starts the server and measures it (under five minutes)
          scripts/load-test --seconds 2 --parts scenarios      a short form while working on it
          scripts/load-test --url https://mcp.example.com --key KEY
          scripts/load-test --image minimal-mcp                a container of that image
          scripts/load-test --threshold "rest.p99 < 20 ms"     a limit of your own; may be repeated
          scripts/load-test --compare earlier/report.json --regression 10
          scripts/load-test --growth                           1 to 1,024 connections, 10 to 1,000 tools,
                                                               1 to 10,000 streams, 1 to 4 replicas
          scripts/load-test --soak 60                          an hour of load, and the slope of the memory
          scripts/bench [--governed]                           the ratios to bare Kestrel alone

          --parts scenarios,ratios,tools   --only rest,lists   --seconds 30   --warmup S   --scale 1
          --rounds 3   --connections 32   --peers
          --tool NAME --arguments JSON     --write-tool NAME --write-arguments JSON --writes    --slow-milliseconds 200
          --no-defaults                    --out artifacts/load
          --pid N (of --url, for its processor time)
          --image: --network NAME
          --growth: --parts connections,tools,streams,replicas --streams 10000 --replicas 4 --docs artifacts/load/growth

        docs/operate/load-test.md explains the scenarios, the thresholds and the report.
        """;
}
