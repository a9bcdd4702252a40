package endtoend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Where a stand-in for systemd keeps what it knows.
const (
	standInDir  = "/opt/stand-in"
	standInUnit = "/etc/systemd/system/packetcache.service"
	standInMain = standInDir + "/main" // has the number of the service's process
)

// systemctl stands in for the program of that name, and systemd, on a machine that
// systemd does not run: it starts what the unit says, waits until that is ready, and
// stops it. Of the unit it knows ExecStart= and Type=notify, and nothing else. How it
// was called stands in a file.
func systemctl(args []string) error {
	log, err := os.OpenFile(standInDir+"/calls", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintln(log, strings.Join(args, " "))
	log.Close()
	unit, err := os.ReadFile(standInUnit)
	if err != nil && args[0] != "daemon-reload" {
		os.Exit(5) // as systemctl does of a unit that is not there
	}
	switch args[0] {
	case "start":
		return startUnit(unit)
	case "stop":
		return stopUnit()
	case "restart":
		return errors.Join(stopUnit(), startUnit(unit))
	case "is-active":
		if mainProcess() == 0 {
			os.Exit(3)
		}
	}
	return nil
}

// mainProcess is the number of the service's process, 0 if none runs.
func mainProcess() int {
	text, _ := os.ReadFile(standInMain)
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || bytes.Contains(stat, []byte(") Z ")) { // which nobody here waits for
		return 0
	}
	return pid
}

var execStart = regexp.MustCompile(`(?m)^ExecStart=(.*)$`)

func startUnit(unit []byte) error {
	if mainProcess() != 0 {
		return nil
	}
	command := execStart.FindSubmatch(unit)
	if command == nil || !bytes.Contains(unit, []byte("\nType=notify\n")) {
		return errors.New("the unit has no ExecStart= or is not of Type=notify")
	}
	socket := standInDir + "/notify"
	_ = os.Remove(socket)
	ln, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer ln.Close()
	journal, err := os.OpenFile(standInDir+"/journal", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	// The service outlives this process.
	main := exec.CommandContext(context.Background(), string(command[1]))
	main.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket)
	main.Stdout, main.Stderr = journal, journal
	main.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := main.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(standInMain, []byte(strconv.Itoa(main.Process.Pid)), 0o600); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- main.Wait()
		ln.Close()
	}()
	_ = ln.SetReadDeadline(time.Now().Add(patience))
	for message := make([]byte, 4096); ; {
		n, err := ln.Read(message)
		if err != nil {
			return fmt.Errorf("not ready: %w", err)
		}
		if bytes.Contains(message[:n], []byte("READY=1")) {
			return nil
		}
	}
}

func stopUnit() error {
	pid := mainProcess()
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); mainProcess() != 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("it does not end")
		}
	}
	return nil
}
