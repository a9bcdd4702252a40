package pcctl

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/service"
)

func extcapPlaceCommands(m machine) []*cli.Command {
	flags := func() []cli.Flag {
		return []cli.Flag{
			&cli.BoolFlag{Name: "system", Usage: "for all users of this machine; the default with the rights for it", DisableDefaultText: true},
			&cli.BoolFlag{Name: "user", Usage: "for this user only", DisableDefaultText: true},
			&cli.StringFlag{Name: "dir", Usage: "the extcap folder `DIR`, as Wireshark shows it under Help, About, Folders"},
		}
	}
	return []*cli.Command{
		{
			Name:      "install",
			Usage:     "put it into Wireshark's extcap folder",
			UsageText: "pcctl extcap install [--system|--user|--dir DIR]",
			Description: `Asks tshark where its extcap folders are, which differs by version, and puts a
script there that runs this pcctl from where it lies now.

Examples:
  pcctl extcap install
  pcctl extcap install --user`,
			Flags:  flags(),
			Action: func(c *cli.Context) error { return extcapInstall(m, c) },
		},
		{
			Name:      "uninstall",
			Usage:     "remove it from Wireshark's extcap folders",
			UsageText: "pcctl extcap uninstall [--system|--user|--dir DIR]",
			Description: `Removes what "pcctl extcap install" has put into the extcap folders.

Example:
  pcctl extcap uninstall`,
			Flags:  flags(),
			Action: extcapUninstall,
		},
	}
}

// chosenFolders are the folders that the options mean, the best first.
func chosenFolders(c *cli.Context) ([]extcapFolder, error) {
	if dir := c.String("dir"); dir != "" {
		return []extcapFolder{{path: dir}}, nil
	}
	if c.Bool("system") && c.Bool("user") {
		return nil, &usageProblem{command: "extcap " + c.Command.Name, err: errors.New("--system and --user exclude each other")}
	}
	var chosen []extcapFolder
	for _, f := range extcapFolders(c.Context) {
		if c.Bool("system") && f.user || c.Bool("user") && !f.user {
			continue
		}
		chosen = append(chosen, f)
	}
	if len(chosen) == 0 {
		return nil, withHint(errors.New("no extcap folder of Wireshark was found"),
			"install Wireshark or tshark first, or name the folder with --dir: Wireshark shows it under Help, About, Folders.")
	}
	return chosen, nil
}

// extcapInstall writes the script to the first folder that it can be written to.
func extcapInstall(m machine, c *cli.Context) error {
	folders, err := chosenFolders(c)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return err
	}
	endpoint := ""
	if given := m.endpointDir(c); given != m.settings().EndpointDir {
		endpoint = given
	}
	var denied error
	for _, f := range folders {
		path := filepath.Join(f.path, extcapScriptName)
		err := writeExtcapScript(path, extcapScript(self, endpoint))
		if errors.Is(err, fs.ErrPermission) {
			denied = err
			continue
		}
		if err != nil {
			return err
		}
		return printLines(c.App.Writer, []string{
			clean(path) + ": installed",
			"Wireshark lists the interface PacketCache when it is started next, or with F5.",
		})
	}
	return withHint(fmt.Errorf("%w: %w", service.ErrPermission, denied), hintElevate+" \"--user\" installs it for this user alone, where Wireshark has a folder for that.")
}

// writeExtcapScript puts a script at path, in the place of one of ours only.
func writeExtcapScript(path, text string) error {
	if _, err := isOurScript(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o755) // whatever the umask, and the file before
}

// isOurScript reports whether a script of ours is at path. What somebody else has
// put there is an error.
func isOurScript(path string) (bool, error) {
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !bytes.Contains(old, []byte(extcapMark)):
		return false, withHint(fmt.Errorf("%s is not by pcctl", path), "move it away, or name another folder with --dir.")
	}
	return true, nil
}

// extcapMark tells our scripts.
const extcapMark = `PacketCache for Wireshark, by "pcctl extcap install"`

func extcapUninstall(c *cli.Context) error {
	folders, err := chosenFolders(c)
	if err != nil {
		return err
	}
	var lines []string
	for _, f := range folders {
		path := filepath.Join(f.path, extcapScriptName)
		if ours, err := isOurScript(path); err != nil {
			return err
		} else if !ours {
			continue
		}
		if err := os.Remove(path); errors.Is(err, fs.ErrPermission) {
			return withHint(fmt.Errorf("%w: %w", service.ErrPermission, err), hintElevate)
		} else if err != nil {
			return err
		}
		lines = append(lines, clean(path)+": removed")
	}
	if len(lines) == 0 {
		lines = []string{"not installed: nothing to remove"}
	}
	return printLines(c.App.Writer, lines)
}
