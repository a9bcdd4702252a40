package pcctl

const (
	endpointDirUsage = "`DIR` of the service's sockets, if not /run/packetcache [$" + envEndpointDir + "]"
	hintNotRunning   = "start the service with \"sudo pcctl start\" (once installed: \"sudo pcctl install\"), or run it in the foreground with \"sudo packetcache\"; if it runs with --endpoint-dir, give the same here."
	hintElevate      = "use sudo."
	hintNotPermitted = "the cache holds other people's traffic, so this takes root: use sudo, or have your account join the group that the service admits."
	administrator    = "root"

	settingPlaces = `Settings come from three places; of two values the one further down counts:

  default       built in
  file          the settings of this machine, /etc/packetcache/packetcache.toml
  command line  that of the service, where it was given one`
)
