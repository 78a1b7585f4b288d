using FastXen.Events;

namespace FastXen.Xen.EventChannels;

/// <summary>A service of the host whose place a privileged domain may take, by binding the port that it serves.</summary>
public interface IYieldingService : IEventSink
{
    /// <summary>
    /// Lets go for good: closes the channel (the port is unbound again) and forgets the domain at its other end. 0, or -EAGAIN in the middle of something: then it
    /// goes on. Never waits for a guest.
    /// </summary>
    int Yield(XenDomain to);
}
