package main

import (
	"errors"
	"io"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/report"
	"github.com/packetcache/packetcache/internal/service"
)

// newLogger makes the log. In the foreground it goes to stderr; that of a
// service goes to the system's log, where it can. The second result ends it.
func newLogger(stderr io.Writer) (*logrus.Logger, func()) {
	log := logrus.New()
	log.SetOutput(stderr)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true, DisableTimestamp: service.Managed()})
	if !service.Managed() {
		return log, func() {}
	}
	sink, err := report.OpenSystem()
	if err != nil {
		if !errors.Is(err, report.ErrNone) {
			eventlog.Unnumbered(err.Error()).Log(log)
		}
		return log, func() {}
	}
	hook := report.NewHook(sink)
	log.AddHook(hook)
	log.SetOutput(io.Discard)
	if err := report.Register(); err != nil {
		eventlog.RegistrationIncomplete("event source", err).Log(log)
	}
	return log, hook.Close
}

// setLevel makes the log as talkative as the setting log-level says.
func setLevel(log *logrus.Logger, level string) {
	if l, err := logrus.ParseLevel(level); err == nil {
		log.SetLevel(l)
	}
}
