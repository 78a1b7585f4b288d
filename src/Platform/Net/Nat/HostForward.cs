using System.Net;

namespace FastXen.Platform.Net.Nat;

/// <summary>A port of the host that leads to a port of the guest. Port 0 lets the host choose one.</summary>
public sealed record HostForward(bool IsUdp, IPAddress HostAddress, int HostPort, int GuestPort);
