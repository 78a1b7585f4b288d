using System.Net;

namespace FastXen.Platform.Net.Nat;

/// <summary>Finds the host's name server (resolv.conf(5)).</summary>
internal static class HostResolver
{
    private const int DnsPort = 53;

    /// <summary>The first IPv4 name server, or null.</summary>
    public static IPEndPoint? Find(string path = "/etc/resolv.conf")
    {
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                if (words is ["nameserver", string address, ..] && IPAddress.TryParse(address, out IPAddress? parsed)
                    && parsed.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
                {
                    return new IPEndPoint(parsed, DnsPort);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No name server then.
        }
        return null;
    }
}
