package main

import (
	"io"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/internal/service"
)

func newLogger(w io.Writer) *logrus.Logger {
	log := logrus.New()
	log.SetOutput(w)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true, DisableTimestamp: service.Managed()})
	return log
}

// setLevel makes the log as talkative as the setting log-level says.
func setLevel(log *logrus.Logger, level string) {
	if l, err := logrus.ParseLevel(level); err == nil {
		log.SetLevel(l)
	}
}
