package pcctl

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/internal/control"
)

const remoteDescription = `it runs
ReadRemotePacketCache.ps1, from beside pcctl.exe, over WinRM, and compares the
SHA-256. There you have to be an administrator. With --ssh it runs pcctl there by
ssh. When the connection breaks nothing is kept.`

// sshCommand prepares ssh. Of Ctrl+C, which the console sends to all programs, it
// hears nothing in a process group of its own.
func sshCommand(ctx context.Context, follow bool, name string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	if follow {
		cmd.SysProcAttr = &windows.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	}
	return cmd
}

// byScript reports whether the script reads it.
func (r *remote) byScript() bool { return r != nil && !r.bySSH }

// runScript has the script make the dump; it says itself what it does and what went
// wrong.
func (r *remote) runScript(c *cli.Context, req control.DumpRequest, target string, named bool) error {
	wrong := func(text string) error {
		return &usageProblem{command: c.Command.Name, err: withHint(errors.New(text), "use --ssh ssh where the other machine has sshd, or leave it out.")}
	}
	switch {
	case req.Follow:
		return wrong("--follow does not go over WinRM")
	case target == standardOutput:
		return wrong("-w - does not go over WinRM: name a file")
	case c.Bool(flagJSON):
		return wrong("--json does not go over WinRM")
	case c.IsSet("remote-pcctl"):
		return wrong("--remote-pcctl is for --ssh")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	script := filepath.Join(filepath.Dir(self), "ReadRemotePacketCache.ps1")
	if _, err := os.Stat(script); err != nil {
		return withHint(err, "put the script of that name beside pcctl.exe.")
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return err
	}
	shell := filepath.Join(system, "WindowsPowerShell", "v1.0", "powershell.exe")
	if !named {
		target = ""
	}
	cmd := exec.CommandContext(c.Context, shell, append([]string{"-NoProfile", "-ExecutionPolicy", "Bypass", "-File", script}, r.scriptArguments(req, target)...)...)
	cmd.Cancel = func() error { return nil } // Ctrl+C reaches it, too, and it tidies up
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.App.Writer, c.App.ErrWriter
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &silentError{exit.ExitCode()}
	}
	return err
}
