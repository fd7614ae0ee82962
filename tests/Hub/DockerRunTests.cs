using MinimalMcp.Hub;

namespace MinimalMcp.Tests.Hub;

/// <summary>Which arguments of <c>docker run</c> are accepted, and what Docker is given.</summary>
public sealed class DockerRunTests
{
    [Theory]
    // rights on this machine
    [InlineData("-i --privileged x", "--privileged of docker run is not allowed: it gives")]
    [InlineData("-i --privileged=true x", "--privileged")]
    [InlineData("-i --pid=host x", "--pid")]
    [InlineData("-i --pid host x", "--pid")]
    [InlineData("-i --pid container:a x", "--pid")]
    [InlineData("-i --ipc=host x", "--ipc")]
    [InlineData("-i --uts=host x", "--uts")]
    [InlineData("-i --userns=host x", "--userns")]
    [InlineData("-i --cgroupns=host x", "--cgroupns")]
    [InlineData("-i --cgroup-parent=/ x", "--cgroup-parent")]
    [InlineData("-i --network=host x", "network of this machine")]
    [InlineData("-i --network Host x", "network of this machine")]
    [InlineData("-i --network name=host,alias=a x", "--network")]
    [InlineData("-i --network container:a x", "network of another container")]
    [InlineData("-i --network 0123abcd4567 x", "not its id")]
    [InlineData("-i --net=host x", "--net ")]
    [InlineData("-i --device=/dev/sda x", "--device")]
    [InlineData("-i --device-cgroup-rule=a x", "--device-cgroup-rule")]
    [InlineData("-i --gpus all x", "--gpus")]
    [InlineData("-i --cap-add SYS_ADMIN x", "--cap-add")]
    [InlineData("-i --cap-add=ALL x", "--cap-add")]
    [InlineData("-i --security-opt seccomp=unconfined x", "no-new-privileges")]
    [InlineData("-i --security-opt=apparmor:unconfined x", "no-new-privileges")]
    [InlineData("-i --group-add 0 x", "--group-add")]
    [InlineData("-i --sysctl a=b x", "--sysctl")]
    [InlineData("-i --runtime runc x", "--runtime")]
    [InlineData("-i --use-api-socket x", "--use-api-socket")]
    // folders and files of this machine
    [InlineData("-i -v /:/host x", "not a folder of this machine")]
    [InlineData("-i -v/:/host x", "not a folder of this machine")]
    [InlineData("-i -v=/:/host x", "not a folder of this machine")]
    [InlineData("-iv /:/host x", "not a folder of this machine")]
    [InlineData("-i --volume=/var/run/docker.sock:/s x", "not a folder of this machine")]
    [InlineData("-i --volume ./a:/a x", "not a folder of this machine")]
    [InlineData("-i --volume ~/a:/a x", "not a folder of this machine")]
    [InlineData("-i --volume ../a:/a x", "not a folder of this machine")]
    [InlineData(@"-i --volume c:\a:/a x", "--volume")]
    [InlineData("-i --volume c:/a x", "not a folder of this machine")]
    [InlineData("-i --volume data:/a:shared x", "--volume")]
    [InlineData("-i --volume data:a x", "folder in the container")]
    [InlineData("-i --mount type=bind,source=/,target=/h x", "type=volume or type=tmpfs")]
    [InlineData("-i --mount source=/,target=/h,type=bind x", "--mount")]
    [InlineData("-i --mount source=data,target=/h x", "type=volume or type=tmpfs")]
    [InlineData("-i --mount TYPE=bind,type=volume,target=/h x", "TYPE")]
    [InlineData("-i --mount type=volume,type=bind,source=/,target=/h x", "type=volume or type=tmpfs")]
    [InlineData("-i --mount type=volume,target=/h,volume-driver=local,volume-opt=device=/ x", "volume-driver")]
    [InlineData("-i --mount type=volume,target=/h,volume-opt=device=/ x", "volume-opt")]
    [InlineData("-i --mount type=volume,target=/h,\"volume-opt=device=/\" x", "quotes")]
    [InlineData("-i --volumes-from a x", "--volumes-from")]
    [InlineData("-i --volume-driver local x", "--volume-driver")]
    [InlineData("-i --env-file /etc/shadow x", "--env-file of docker run is not allowed: it reads")]
    [InlineData("-i --label-file /etc/shadow x", "--label-file")]
    [InlineData("-i --cidfile /etc/a x", "--cidfile")]
    // shells
    [InlineData("-i --entrypoint sh x", "must not be a shell")]
    [InlineData("-i --entrypoint=/bin/bash x", "must not be a shell")]
    [InlineData("-i alpine sh -c ls", "must not start sh")]
    [InlineData("-i alpine /bin/busybox ls", "must not start /bin/busybox")]
    // what takes the container away from us
    [InlineData("-d x", "-d of docker run is not allowed: the container must stay attached")]
    [InlineData("-id x", "-d")]
    [InlineData("-i --detach x", "--detach")]
    [InlineData("-it x", "-t")]
    [InlineData("-i --tty x", "--tty")]
    [InlineData("-i -a stdin x", "-a")]
    [InlineData("-i --name other x", "--name of docker run is not allowed: this server sets it")]
    [InlineData("-i --label minimal-mcp.hub=a x", "--label")]
    [InlineData("-i -l a=b x", "-l")]
    [InlineData("-i --restart always x", "--restart")]
    [InlineData("-i --log-driver json-file x", "--log-driver")]
    [InlineData("-i -p 80:80 x", "-p")]
    [InlineData("-i --publish=80:80 x", "--publish")]
    [InlineData("-i -P x", "-P")]
    // what is not understood
    [InlineData("-i --new-option x", "--new-option of docker run is not allowed. Only these are: --add-host")]
    [InlineData("-i -z x", "-z")]
    [InlineData("-i --PRIVILEGED x", "--PRIVILEGED")]
    [InlineData("-i --privi x", "--privi")]
    [InlineData("-i -- --privileged", "must name an image")]
    [InlineData("-i -", "must name an image")]
    [InlineData("-i --memory", "needs a value")]
    [InlineData("-i -m", "needs a value")]
    [InlineData("-i --memory --privileged", "--memory")]
    [InlineData("-i", "must name an image")]
    [InlineData("-i --rm", "must name an image")]
    [InlineData("-i ../x", "must name an image")]
    [InlineData("--interactive=false x", "takes no value")]
    [InlineData("-i=false x", "takes no value")]
    [InlineData("-i --rm=false x", "takes no value")]
    [InlineData("x", "must have -i")]
    [InlineData("--rm x", "must have -i")]
    [InlineData("x -i", "must have -i")]
    [InlineData("-i -e =a x", "--env")]
    [InlineData("-i -e 1=a x", "--env")]
    public void Refused(string line, string sentence)
    {
        var problem = DockerRun.Problem(["run", .. line.Split(' ')]);
        Assert.NotNull(problem);
        Assert.Contains(sentence, problem);
        Assert.EndsWith(".", problem);
    }

    [Theory]
    [InlineData("--privileged")]
    [InlineData("exec")]
    [InlineData("container")]
    [InlineData("--host=tcp://evil")]
    [InlineData("")]
    public void Only_run_is_accepted_and_it_comes_first(string first) =>
        Assert.Equal("args of docker must begin with run.", DockerRun.Problem([first, "run", "-i", "x"]));

    [Theory]
    [InlineData("-i x", "--interactive x")]
    [InlineData("-i --rm mcp/fetch", "--interactive mcp/fetch")]
    [InlineData("--rm -qi mcp/fetch:1.2 --privileged -d", "--quiet --interactive mcp/fetch:1.2 --privileged -d")]
    [InlineData("-i --interactive=true -- x", "--interactive --interactive x")]
    [InlineData(
        "-i -e TOKEN -eA=b -e=C=d --env E=f --env=G=h=i x",
        "--interactive --env=TOKEN --env=A=b --env=C=d --env=E=f --env=G=h=i x"
    )]
    [InlineData(
        "-i -v data:/data:ro -v /cache --mount type=tmpfs,target=/t,tmpfs-size=9 x",
        "--interactive --volume=data:/data:ro --volume=/cache --mount=type=tmpfs,target=/t,tmpfs-size=9 x"
    )]
    [InlineData(
        "-i --network back-end --memory 512m -m=1g --memory-swap -1 --cpus 0.5 --pids-limit=100 x",
        "--interactive --network=back-end --memory=512m --memory=1g --memory-swap=-1 --cpus=0.5 --pids-limit=100 x"
    )]
    [InlineData(
        "-i --init --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp:size=64m -u 1000:1000 x",
        "--interactive --init --read-only --cap-drop=ALL --security-opt=no-new-privileges --tmpfs=/tmp:size=64m "
            + "--user=1000:1000 x"
    )]
    [InlineData(
        "-i --add-host host.docker.internal:host-gateway --entrypoint python -w /app "
            + "r.example:5000/a/b@sha256:00ff x.py",
        "--interactive --add-host=host.docker.internal:host-gateway --entrypoint=python --workdir=/app "
            + "r.example:5000/a/b@sha256:00ff x.py"
    )]
    public void Accepted_and_written_anew(string line, string given)
    {
        var args = (string[])["run", .. line.Split(' ')];
        Assert.Null(DockerRun.Problem(args));
        Assert.Equal(
            $"run --rm --name=n --label=l=m --log-driver=none {given}",
            string.Join(' ', DockerRun.Parse(args).ToArguments("n", [new("l", "m")]))
        );
    }
}
