using Dunlin.Packages.Tests.Support;

namespace Dunlin.Packages.Tests;

/// <summary>The Debian package, installed with its scripts into a copy of this system, and checked with Debian's tools.</summary>
public sealed class DebianTests
{
    // Starts the service as systemd does, and waits until it is ready.
    private const string Service = """
        serve() {
          unit=/lib/systemd/system/dunlin.service
          [ "$(stat -c '%U %a' /var/lib/dunlin)" = "dunlin 700" ]
          (cd /var/lib/dunlin && exec setpriv --reuid dunlin --regid dunlin --init-groups --no-new-privs \
            $(sed -n 's/^ExecStart=//p' "$unit") > /tmp/dunlin.log 2>&1) &
          service=$!
          for ((i = 0; i < 600; i++)); do
            if curl -sf http://127.0.0.1:5090/healthz/ready > /dev/null; then return 0; fi
            kill -0 $service || { cat /tmp/dunlin.log; exit 1; }
            sleep 0.1
          done
          cat /tmp/dunlin.log; exit 1
        }
        stop() { kill -TERM $service; wait $service; }
        publish() {
          curl -sf http://127.0.0.1:5090/dunlin/v1/events -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
            -d "{\"topic\": \"news\", \"type\": \"note\", \"data\": $1}"
        }

        """;

    [Fact]
    public async Task The_package_installs_serves_upgrades_and_is_purged()
    {
        await using var workspace = new Workspace();
        var blocks = Root.Blocks("The Debian package");
        Assert.Equal(2, blocks.Count);
        var output = await Root.RunAsync(
            workspace,
            $$"""
            cd '{{workspace.Folder}}'
            export DEBIAN_FRONTEND=noninteractive
            {{Service}}
            {{blocks[0]}}
            getent passwd dunlin
            systemd-analyze verify /lib/systemd/system/dunlin.service
            [ -L /etc/systemd/system/multi-user.target.wants/dunlin.service ]
            serve
            stream() { :
            {{blocks[1]}}
            }
            stream > /tmp/stream 2>&1 &
            for ((i = 0; i < 600; i++)); do if grep -q dunlin.hello /tmp/stream; then break; fi; sleep 0.1; done
            TOKEN=$(runuser -u dunlin -- dunlin token --config /etc/dunlin/dunlin.json --subject me --publish '**' --subscribe '**')
            publish 17
            for ((i = 0; i < 600; i++)); do if grep -q '^data: 17$' /tmp/stream; then break; fi; sleep 0.1; done
            grep '^data: 17$' /tmp/stream
            stop

            # The completion scripts are where the shells look for them, and are those of the program.
            for shell in bash:bash-completion/completions/dunlin zsh:zsh/vendor-completions/_dunlin \
              fish:fish/vendor_completions.d/dunlin.fish; do
              dunlin completion "${shell%%:*}" | cmp - "/usr/share/${shell#*:}"
            done
            (source /usr/share/bash-completion/completions/dunlin && complete -p dunlin)
            HOME=/tmp fish -c "complete -C 'dunlin journal ex'" | grep export
            zsh -f -c 'autoload -Uz compinit && compinit -u -D && [ "${_comps[dunlin]}" = _dunlin ]'
            gzip -dc /usr/share/man/man1/dunlin.1.gz | grep -x '.B leases preempt'

            # An upgrade keeps the settings and the data, and that the service is disabled.
            rm /etc/systemd/system/multi-user.target.wants/dunlin.service # as systemctl disable does
            echo '{ "Dunlin": { "Data": "/var/lib/dunlin", "Retention": {} } }' > /etc/dunlin/dunlin.json
            dpkg-deb -R packages/dunlin_*.deb next
            sed -i 's/^Version: .*/Version: 9.0.0/' next/DEBIAN/control
            sed -i 's/5090/5099/' next/etc/dunlin/dunlin.json
            dpkg-deb --root-owner-group -Znone --build next next.deb
            dpkg -i --force-confold next.deb
            grep -q Retention /etc/dunlin/dunlin.json
            [ ! -e /etc/systemd/system/multi-user.target.wants/dunlin.service ]
            serve
            publish 18
            curl -sf "http://127.0.0.1:5090/dunlin/v1/journal?topic=news" -H "Authorization: Bearer $TOKEN" | grep -o '"data":1[78]'
            stop

            dpkg -r dunlin
            [ ! -e /usr/bin/dunlin ] && [ -e /etc/dunlin/dunlin.json ] && [ -e /var/lib/dunlin/dunlin.db ]
            dpkg -P dunlin
            [ ! -e /etc/dunlin/dunlin.json ] && [ ! -e /var/lib/dunlin ]
            dpkg --audit
            echo "all steps passed"
            """
        );
        Assert.Contains("\"data\":17\n\"data\":18\n", output, StringComparison.Ordinal);
        Assert.EndsWith("all steps passed", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lintian_finds_no_fault_in_the_package()
    {
        await using var workspace = new Workspace();
        await workspace.RunAsync("cp packages/dunlin_*.deb . && lintian --allow-root --fail-on error,warning *.deb");
    }

    [Fact]
    public async Task Systemd_rates_the_unit_as_safe()
    {
        await using var workspace = new Workspace();
        await workspace.RunAsync(
            "dpkg-deb -x packages/dunlin_*.deb root && systemd-analyze security --offline=true --no-pager --threshold=20 "
                + "root/lib/systemd/system/dunlin.service"
        );
    }
}
