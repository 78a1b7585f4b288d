using System.Net;

namespace FastXen.Platform.Net.Nat;

/// <summary>Says which host address a guest's destination stands for.</summary>
internal sealed class Routing(NatOptions options)
{
    private const int DnsPort = 53;

    private readonly IPEndPoint? resolver = options.Resolver ?? HostResolver.Find();
    private readonly uint mask = uint.MaxValue << (32 - options.PrefixLength);

    /// <summary>False when the guest may not go there, or nothing is there.</summary>
    public bool TryMap(Ipv4Address destination, int port, out IPEndPoint host)
    {
        host = destination.EndPoint(port);
        if (destination == options.Dns)
        {
            host = resolver ?? host;
            return resolver is not null && port == DnsPort;
        }
        if (destination == options.Gateway)
        {
            host = Ipv4Address.Loopback.EndPoint(port);
            return options.AllowHostLoopback && !options.Restrict && port != 0;
        }
        return !options.Restrict && port != 0 && !destination.IsSpecial && (destination.Value & mask) != (options.Gateway.Value & mask);
    }
}
