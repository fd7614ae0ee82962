using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>
/// nginx before several servers, which it asks by turns over connections that it keeps. It touches nothing outside its
/// folder.
/// </summary>
internal static class Nginx
{
    public static ServerStart Before(IEnumerable<ServerProcess> servers, string folder)
    {
        var program = Installed.Nginx()
            ?? throw new InvalidOperationException($"nginx is missing: install {Installed.WantedNginx}.");
        var endPoint = ServerStart.FreePort();
        Directory.CreateDirectory(folder);
        // As root its workers would become somebody who may not enter the folder. A connection ends after 1,000
        // requests by default, which would count as failures.
        File.WriteAllText(
            Path.Combine(folder, "nginx.conf"),
            $$"""
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            daemon off;
            worker_processes 2;
            error_log stderr;
            pid nginx.pid;
            events { worker_connections 4096; }
            http {
              access_log off;
              keepalive_requests 1000000000;
              client_body_temp_path body;
              proxy_temp_path proxy;
              fastcgi_temp_path fastcgi;
              uwsgi_temp_path uwsgi;
              scgi_temp_path scgi;
              upstream replicas {
                {{string.Join(' ', servers.Select(server => $"server {server.Target.EndPoint};"))}}
                keepalive 64;
              }
              server {
                listen {{endPoint}};
                location / {
                  proxy_pass http://replicas;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_set_header Host $http_host;
                }
              }
            }
            """
        );
        return new(
            ServerStart.Prepared(new ProcessStartInfo(program, ["-p", folder, "-c", "nginx.conf", "-e", "stderr"])),
            endPoint,
            null,
            LegacyOnly: false
        );
    }
}
