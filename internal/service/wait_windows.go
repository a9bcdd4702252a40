package service

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	pollEvery = 50 * time.Millisecond
	// silence is how long a service that starts or stops may give no sign of
	// life, unless it has asked for more.
	silence = 30 * time.Second
	// exitPatience is how long the process of a service that has stopped may
	// take to end, removePatience how long its registration may stay.
	exitPatience   = 30 * time.Second
	removePatience = 10 * time.Second
)

// start starts the service and waits until it runs.
func start(r registration, o Options) error {
	if err := r.Start(); err != nil {
		return err
	}
	status, err := await(r, windows.SERVICE_RUNNING, o)
	if err != nil {
		return fmt.Errorf("waiting for it to start: %w", err)
	}
	if status.CurrentState == windows.SERVICE_STOPPED {
		return fmt.Errorf("it did not start: %w", exitError(&status))
	}
	return nil
}

// stop stops the service and waits until its process has ended. One that is
// still starting takes no control, so that is waited for first.
func stop(r registration, o Options) error {
	before, err := state(r)
	if err == nil && before.CurrentState == windows.SERVICE_START_PENDING {
		before, err = await(r, windows.SERVICE_RUNNING, o)
	}
	if err != nil {
		return err
	}
	if before.CurrentState == windows.SERVICE_STOPPED {
		program, _ := splitCommandLine(r.commandLine)
		if err := awaitLeftovers(program); err != nil {
			return err
		}
		return windows.ERROR_SERVICE_NOT_ACTIVE
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, before.ProcessId)
	if err == nil {
		defer func() { _ = windows.CloseHandle(process) }()
	}
	var ignored windows.SERVICE_STATUS
	err = windows.ControlService(r.Handle, windows.SERVICE_CONTROL_STOP, &ignored)
	if err != nil && before.CurrentState != windows.SERVICE_STOP_PENDING {
		return err
	}
	after, err := await(r, windows.SERVICE_STOPPED, o)
	if err != nil {
		return fmt.Errorf("waiting for it to stop: %w", err)
	}
	if process != 0 { // 0: it has ended before we could look
		event, err := windows.WaitForSingleObject(process, uint32(exitPatience.Milliseconds()))
		if err == nil && event == uint32(windows.WAIT_TIMEOUT) {
			err = fmt.Errorf("its process %d has not ended within %v", before.ProcessId, exitPatience)
		}
		if err != nil {
			return err
		}
	}
	if after.Win32ExitCode != uint32(windows.NO_ERROR) {
		return disorder{exitError(&after)}
	}
	return nil
}

// A disorder is how a service ended that was told to stop. Its process is gone.
type disorder struct{ error }

func (d disorder) Error() string {
	return fmt.Sprintf("it has ended, but not in order, so that Windows may start it again: %v", d.error)
}

func (d disorder) Unwrap() error { return d.error }

// stopFirst stops a service if it runs. That it did not end in order is no
// error here but told apart.
func stopFirst(r registration, o Options) (ended, err error) {
	err = stop(r, o)
	var d disorder
	switch {
	case errors.As(err, &d):
		return d.error, nil
	case errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
		return nil, nil
	}
	return nil, err
}

// await waits until the service is in a state, or has stopped. It gives up when
// the service gives no sign of life.
func await(r registration, want uint32, o Options) (windows.SERVICE_STATUS_PROCESS, error) {
	begun := time.Now()
	sign, at, told := uint32(0), begun, begun
	for ; ; time.Sleep(pollEvery) {
		status, err := state(r)
		if err != nil || status.CurrentState == want || status.CurrentState == windows.SERVICE_STOPPED {
			return status, err
		}
		now := time.Now()
		if status.CheckPoint != sign {
			sign, at = status.CheckPoint, now
		}
		if patience := max(silence, time.Duration(status.WaitHint)*time.Millisecond); now.Sub(at) > patience {
			return status, fmt.Errorf("no sign of life from it for %v; see its log, or end process %d", patience, status.ProcessId)
		}
		if o.Progress != nil && now.Sub(told) >= time.Second {
			told = now
			o.Progress(now.Sub(begun))
		}
	}
}

func state(r registration) (windows.SERVICE_STATUS_PROCESS, error) {
	var status windows.SERVICE_STATUS_PROCESS
	var needed uint32
	err := windows.QueryServiceStatusEx(r.Handle, windows.SC_STATUS_PROCESS_INFO,
		(*byte)(unsafe.Pointer(&status)), uint32(unsafe.Sizeof(status)), &needed)
	return status, err
}

// exitError says why a service has stopped.
func exitError(status *windows.SERVICE_STATUS_PROCESS) error {
	switch code := windows.Errno(status.Win32ExitCode); code {
	case windows.ERROR_SERVICE_SPECIFIC_ERROR:
		return fmt.Errorf("exit code %d: %s", status.ServiceSpecificExitCode, ExitCode(status.ServiceSpecificExitCode))
	case windows.NO_ERROR:
		return errors.New("it ended at once, and as if it had been told to")
	default:
		return code
	}
}
