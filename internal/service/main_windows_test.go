package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary a service where the service control manager
// has started it, and one in a console for TestConsoleEvents.
func TestMain(m *testing.M) {
	if Managed() {
		os.Exit(serveForTests())
	}
	if event := os.Getenv(consoleTest); event != "" {
		os.Exit(serveConsoleEvent(event))
	}
	os.Exit(m.Run())
}

// serveForTests is a service that does what the file "mode" beside its program
// says, and writes its arguments into the file "arguments".
func serveForTests() int {
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	dir := filepath.Dir(self)
	c := quiet()
	c.ExitCode = func(error) ExitCode { return ExitMemory }
	err = Run(c, func(ctx context.Context, ready func()) error {
		mode, err := os.ReadFile(filepath.Join(dir, "mode"))
		if err != nil {
			return err
		}
		arguments := fmt.Sprintf("%q", os.Args[1:])
		if err := os.WriteFile(filepath.Join(dir, "arguments"), []byte(arguments), 0o600); err != nil {
			return err
		}
		switch strings.TrimSpace(string(mode)) {
		case "fails":
			return errors.New("no memory today")
		case "fails at the end":
			ready()
			<-ctx.Done()
			return errors.New("no memory at the end")
		case "slow":
			time.Sleep(2500 * time.Millisecond)
			defer time.Sleep(2500 * time.Millisecond)
		}
		ready()
		<-ctx.Done()
		return nil
	})
	if err != nil {
		return 1
	}
	return 0
}
