package service

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	logrustest "github.com/sirupsen/logrus/hooks/test"
	"golang.org/x/sys/windows/svc"
)

var errFake = errors.New("no memory today")

// A manager is the service control manager as a test plays it, in a bubble.
type manager struct {
	t        *testing.T
	requests chan svc.ChangeRequest
	changes  chan svc.Status
	log      *logrustest.Hook
	atWork   chan string

	mu     sync.Mutex
	states []svc.Status // as reported

	ended    chan struct{}
	specific bool
	code     ExitCode
	err      error
}

// manage lets a handler run the daemon.
func manage(t *testing.T, run RunFunc) *manager {
	t.Helper()
	c := quiet()
	m := &manager{
		t: t, requests: make(chan svc.ChangeRequest), changes: make(chan svc.Status),
		log: logrustest.NewLocal(c.Log), atWork: make(chan string, 1),
		ended: make(chan struct{}),
	}
	c.ExitCode = func(err error) ExitCode {
		if errors.Is(err, errFake) {
			return ExitMemory
		}
		return ExitFailed
	}
	h, err := newHandler(c, run)
	if err != nil {
		t.Fatal(err)
	}
	h.atWork = func(name string) { m.atWork <- name }
	stopped := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-m.changes:
				m.mu.Lock()
				m.states = append(m.states, s)
				m.mu.Unlock()
			case <-stopped:
				return
			}
		}
	}()
	go func() {
		specific, code := h.Execute([]string{"Renamed", "ignored"}, m.requests, m.changes)
		m.specific, m.code, m.err = specific, ExitCode(code), h.err
		close(stopped)
		close(m.ended)
	}()
	return m
}

// send is a control from the service control manager.
func (m *manager) send(cmd svc.Cmd) {
	m.t.Helper()
	select {
	case m.requests <- svc.ChangeRequest{Cmd: cmd}:
	case <-time.After(time.Minute):
		m.t.Fatalf("the handler does not take control %d", cmd)
	}
	synctest.Wait()
}

// last is what the service reported last.
func (m *manager) last() svc.Status {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.states) == 0 {
		m.t.Fatal("nothing was reported")
	}
	return m.states[len(m.states)-1]
}

// reported are the states in their order, without signs of life.
func (m *manager) reported() string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	names := map[svc.State]string{svc.StartPending: "starting", svc.Running: "running", svc.StopPending: "stopping"}
	var list []string
	for _, s := range m.states {
		if n := names[s.State]; len(list) == 0 || list[len(list)-1] != n {
			list = append(list, n)
		}
	}
	return strings.Join(list, " ")
}

// ends waits for the handler to return with a code.
func (m *manager) ends(code ExitCode) {
	m.t.Helper()
	select {
	case <-m.ended:
	case <-time.After(time.Hour):
		m.t.Fatal("the handler does not return")
	}
	if m.code != code || m.specific != (code != ExitOK) {
		m.t.Errorf("exit code %d (%v), service specific %v; want %d", m.code, m.code, m.specific, code)
	}
}

// obedient is a daemon that starts and stops as it should.
func obedient(ctx context.Context, ready func()) error {
	ready()
	<-ctx.Done()
	return nil
}

func TestControlsThatStop(t *testing.T) {
	for cmd, within := range map[svc.Cmd]time.Duration{
		svc.Stop:        20 * time.Second,
		svc.PreShutdown: 20 * time.Second,
		svc.Shutdown:    4 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			var left time.Duration
			m := manage(t, func(ctx context.Context, ready func()) error {
				ready()
				<-ctx.Done()
				left = time.Until(StopBy(ctx))
				return nil
			})
			synctest.Wait()
			if s := m.last(); s.State != svc.Running || s.Accepts != svc.AcceptStop|svc.AcceptShutdown|svc.AcceptPreShutdown {
				t.Errorf("it reports %+v", s)
			}
			if name := <-m.atWork; name != "Renamed" {
				t.Errorf("it takes itself for %q", name)
			}
			m.send(cmd)
			m.ends(ExitOK)
			if left != within {
				t.Errorf("control %d: the daemon was given %v, want %v", cmd, left, within)
			}
			if got := m.reported(); got != "starting running stopping" {
				t.Errorf("control %d: it reported %s", cmd, got)
			}
		})
	}
}

func TestSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manage(t, func(ctx context.Context, ready func()) error {
			time.Sleep(3500 * time.Millisecond)
			ready()
			<-ctx.Done()
			time.Sleep(5500 * time.Millisecond)
			return nil
		})
		time.Sleep(3200 * time.Millisecond)
		if s := m.last(); s.State != svc.StartPending || s.CheckPoint != 3 || s.WaitHint < 2000 || s.Accepts != 0 {
			t.Errorf("after 3.2 s it reports %+v", s)
		}
		time.Sleep(time.Minute)
		if s := m.last(); s.State != svc.Running || s.CheckPoint != 0 {
			t.Errorf("when it runs it reports %+v", s)
		}
		m.send(svc.Stop)
		if s := m.last(); s.State != svc.StopPending || s.CheckPoint != 0 || s.WaitHint < 2000 || s.Accepts != 0 {
			t.Errorf("told to stop it reports %+v", s)
		}
		time.Sleep(5200 * time.Millisecond)
		if s := m.last(); s.State != svc.StopPending || s.CheckPoint < 5 || s.CheckPoint > 6 {
			t.Errorf("5.2 s later it reports %+v", s)
		}
		m.ends(ExitOK)
	})
}

func TestInterrogate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manage(t, obedient)
		synctest.Wait()
		m.mu.Lock()
		n := len(m.states)
		m.mu.Unlock()
		m.send(svc.Interrogate)
		m.send(svc.ParamChange) // which it has not asked for
		m.mu.Lock()
		answers := m.states[n:]
		m.mu.Unlock()
		if len(answers) != 1 || answers[0].State != svc.Running || answers[0].Accepts != accepted {
			t.Errorf("it answers %+v", answers)
		}
		m.send(svc.Stop)
		m.ends(ExitOK)
	})
}

func TestSecondStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var before, after time.Duration
		m := manage(t, func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			before = time.Until(StopBy(ctx))
			time.Sleep(2 * time.Second)
			after = time.Until(StopBy(ctx))
			time.Sleep(time.Second)
			return nil
		})
		synctest.Wait()
		m.send(svc.PreShutdown)
		m.send(svc.Stop) // which gives no more time
		m.send(svc.Interrogate)
		time.Sleep(time.Second)
		m.send(svc.Shutdown) // which gives less
		m.send(svc.Stop)
		m.ends(ExitOK)
		if before != 20*time.Second || after != 3*time.Second {
			t.Errorf("the daemon was given %v and then %v", before, after)
		}
		if got := m.reported(); got != "starting running stopping" {
			t.Errorf("it reported %s", got)
		}
	})
}

func TestStopWhileStarting(t *testing.T) {
	for name, run := range map[string]RunFunc{
		"gives up": func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			return nil
		},
		"starts all the same": func(ctx context.Context, ready func()) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second)
			ready()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := manage(t, run)
				time.Sleep(2500 * time.Millisecond)
				m.send(svc.Stop)
				m.ends(ExitOK)
				if got := m.reported(); got != "starting stopping" {
					t.Errorf("it reported %s", got)
				}
				if len(m.atWork) > 0 {
					t.Error("it thought it was running")
				}
			})
		})
	}
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		run    RunFunc
		code   ExitCode
		states string
		log    string
	}{
		"before it is ready": {func(context.Context, func()) error { return errFake }, ExitMemory, "starting", "could not start: exit code 7: no memory today."},
		"once it is ready": {func(_ context.Context, ready func()) error {
			ready()
			time.Sleep(time.Hour)
			return errFake
		}, ExitMemory, "starting running stopping", "failed and has ended: no memory today."},
		"as it stops": {func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			return errors.New("something else")
		}, ExitFailed, "starting running stopping", "failed and has ended: something else."},
		"ends by itself": {func(_ context.Context, ready func()) error {
			ready()
			time.Sleep(time.Hour)
			return nil
		}, ExitOK, "starting running stopping", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := manage(t, test.run)
				synctest.Wait()
				if strings.Contains(name, "stops") {
					m.send(svc.Stop)
				} else {
					time.Sleep(2 * time.Hour)
				}
				m.ends(test.code)
				if got := m.reported(); !strings.HasPrefix(got, test.states) {
					t.Errorf("it reported %s, want %s", got, test.states)
				}
				var told string
				for _, e := range m.log.AllEntries() {
					told += e.Message
				}
				if !strings.Contains(told, test.log) || test.log == "" && told != "" || (m.err != nil) != (test.code != ExitOK) {
					t.Errorf("the log was told %q, the error is %v", told, m.err)
				}
			})
		})
	}
}

// A daemon that hangs is ended a little after its deadline, and the log shows
// where it hangs.
func TestWatchdog(t *testing.T) {
	for cmd, within := range map[svc.Cmd]time.Duration{
		svc.Stop:     25 * time.Second,
		svc.Shutdown: 5 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			stuck := make(chan struct{})
			m := manage(t, func(_ context.Context, ready func()) error {
				ready()
				hangHere(stuck)
				return nil
			})
			time.Sleep(time.Hour)
			m.send(cmd)
			begun := time.Now()
			m.ends(ExitHung)
			if took := time.Since(begun); took <= stops[cmd].limit || took > within {
				t.Errorf("control %d: it was ended after %v", cmd, took)
			}
			if !errors.Is(m.err, ErrHung) || !strings.Contains(m.err.Error(), stops[cmd].why) {
				t.Errorf("the error is %v", m.err)
			}
			stacks := loggedStacks(m.log)
			if !strings.Contains(stacks, "hangHere") {
				t.Errorf("the log does not show where it hangs:\n%s", stacks)
			}
			close(stuck)
		})
	}
}

// So is one that hangs while it starts, and the service control manager, which
// sees progress every second and would wait for ever, learns of it.
func TestWatchdogOfTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		m := manage(t, func(context.Context, func()) error {
			hangHere(stuck)
			return errFake
		})
		begun := time.Now()
		m.ends(ExitNotReady)
		if took := time.Since(begun); took != startLimit {
			t.Errorf("it was ended after %v", took)
		}
		if !errors.Is(m.err, ErrHung) || m.reported() != "starting" {
			t.Errorf("the error is %v, it reported %s", m.err, m.reported())
		}
		if stacks := loggedStacks(m.log); !strings.Contains(stacks, "hangHere") {
			t.Errorf("the log does not show where it hangs:\n%s", stacks)
		}
		close(stuck)
	})
}

// A stop in the middle of the start has the time that it always has.
func TestStopOfAStartThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		m := manage(t, func(context.Context, func()) error {
			<-stuck
			return nil
		})
		time.Sleep(startLimit - time.Second)
		m.send(svc.PreShutdown)
		m.ends(ExitHung)
		close(stuck)
	})
}
