package pcctl

import (
	"context"
	"os/exec"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/control"
)

const remoteDescription = `it runs
ssh HOST pcctl dump, with what your ssh knows of HOST, and compares the SHA-256.
There you have to be root or a member of the group that the service admits, or
--remote-pcctl begins with "sudo -n". When the connection breaks nothing is kept.`

// sshCommand prepares ssh. One that follows has to outlive Ctrl+C, which the
// terminal sends to all programs: ssh ignores it where its parent did.
func sshCommand(ctx context.Context, follow bool, name string, args []string) *exec.Cmd {
	if follow {
		args = append([]string{"-c", `trap "" INT; exec "$0" "$@"`, name}, args...)
		name = "sh"
	}
	return exec.CommandContext(ctx, name, args...)
}

// byScript is for Windows.
func (*remote) byScript() bool { return false }

func (*remote) runScript(*cli.Context, control.DumpRequest, string, bool) error { return nil }
