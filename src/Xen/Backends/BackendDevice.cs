using System.Globalization;
using FastXen.Events;
using FastXen.Platform.Work;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Backends;

/// <summary>
/// The backend's end of a device that the host gives to a domain: the xenbus handshake over the store's nodes of both ends (public
/// headers io/xenbus.h, io/blkif.h, io/netif.h). What the frontend's nodes and rings say is the guest's and never trusted.
/// </summary>
#pragma warning disable CA1001 // Ends when the device is removed.
public abstract class BackendDevice : IEventSink
#pragma warning restore CA1001
{
    // A guest can make things go wrong as often as it likes.
    private const int MaximumReports = 16;

    private readonly DeviceWork work;
    private readonly XenstoreServer store;
    private readonly Lock use = new();
    private readonly TaskCompletionSource removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IDisposable? watch;
    private XenbusState state = XenbusState.Initialising;
    private int hasNews;
    private bool isLeaving, isRemoved;
    private int reports;
    private string? parameters;

    private protected BackendDevice(XenstoreServer store, XenDomain domain, string kind, uint number)
    {
        work = new DeviceWork(DeviceThreads.Shared, _ => Work(), e => Report(e.Message));
        this.store = store;
        Domain = domain;
        Kind = kind;
        Number = number;
        FrontPath = $"{StorePath.OfDomain(domain.Id)}/device/{kind}/{number}";
        BackPath = $"{StorePath.OfDomain(DomainIds.Host)}/backend/{kind}/{domain.Id}/{number}";
    }

    /// <summary>The domain that uses the device.</summary>
    public XenDomain Domain { get; }

    /// <summary>"vbd" or "vif".</summary>
    public string Kind { get; }

    /// <summary>Its number among the domain's devices of that kind.</summary>
    public uint Number { get; }

    /// <summary>How far this end has come.</summary>
    public XenbusState State
    {
        get
        {
            lock (use)
                return state;
        }
    }

    /// <summary>Completes when the device is gone from the domain.</summary>
    public Task Removed => removed.Task;

    /// <summary>The guest broke the protocol of its rings; they are not served until it connects anew.</summary>
    public abstract bool IsBroken { get; }

    private protected string FrontPath { get; }

    private protected string BackPath { get; }

    /// <summary>The channel to the frontend while connected.</summary>
    private protected HostChannel? Channel { get; private set; }

    /// <summary>Told, in a sentence, what went wrong with a device.</summary>
    internal Action<string> Reporter { get; init; } = static _ => { };

    /// <summary>Told when the device is gone.</summary>
    internal Action<BackendDevice> Gone { get; init; } = static _ => { };

    /// <summary>Writes the nodes of both ends; from then on the guest sees the device.</summary>
    internal void Publish()
    {
        ushort id = Domain.Id;
        Permission[] back = [new(DomainIds.Host, Access.None), new(id, Access.Read)];
        Permission[] front = [new(id, Access.None), new(DomainIds.Host, Access.Read)];
        Permission[] seen = [new(0, Access.None), new(id, Access.Read)];
        lock (use)
        {
            Open();
            store.Set(BackPath, "", back);
            Tell("frontend", FrontPath);
            Tell("frontend-id", id);
            Tell("online", 1);
            DescribeBack();
            Tell("state", (int)XenbusState.Initialising);
            store.Set($"{StorePath.OfDomain(id)}/device", "", seen);
            store.Set($"{StorePath.OfDomain(id)}/device/{Kind}", "", seen);
            store.Set(FrontPath, "", front);
            store.Set($"{FrontPath}/backend", BackPath);
            store.Set($"{FrontPath}/backend-id", Text(DomainIds.Host));
            DescribeFront();
            // Last: a guest that runs looks at a new device when this is there.
            store.Set($"{FrontPath}/state", Text((int)XenbusState.Initialising));
            SetState(XenbusState.InitWait);
            watch = store.Watch($"{FrontPath}/state", new StateWatch(this));
        }
    }

    /// <summary>Asks the frontend to let go of the device; <see cref="Removed"/> completes when it has, or at once if it does not use it.</summary>
    internal void Leave()
    {
        lock (use)
        {
            if (isRemoved)
                return;
            isLeaving = true;
            Tell("online", 0);
            if (state == XenbusState.Connected)
            {
                SetState(XenbusState.Closing);
                return;
            }
        }
        Remove();
    }

    /// <summary>Takes the device away: nothing of the domain is in use any more on return.</summary>
    internal void Remove()
    {
        lock (use)
        {
            if (isRemoved)
                return;
            isRemoved = true;
            watch?.Dispose();
            Unbind();
            state = XenbusState.Closed;
            store.Remove(FrontPath);
            store.Remove(BackPath);
            LetGo();
        }
        work.Dispose();
        Gone(this);
        removed.SetResult();
    }

    /// <summary>Has the device's work done soon: the guest, or the store, has news.</summary>
    public void Signal() => work.Signal(0);

    private void Work()
    {
        bool isGone = false, more = false;
        lock (use)
        {
            if (isRemoved)
                return;
            try
            {
                if (Domain.IsDying)
                    Unbind();
                else if (Interlocked.Exchange(ref hasNews, 0) != 0)
                    isGone = Follow() && isLeaving;
                more = state == XenbusState.Connected && Serve();
            }
#pragma warning disable CA1031 // Whatever it is, it must not take the other devices with it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Report($"{Kind} {Number} of domain {Domain.Id} stopped: {e.Message}");
                Unbind();
                SetState(XenbusState.Closing);
            }
        }
        if (isGone)
            Remove();
        else if (more)
            Signal();
    }

    /// <summary>Takes hold of what is behind the device.</summary>
    private protected virtual void Open()
    {
    }

    /// <summary>Writes what this kind of device says of itself in the backend's directory.</summary>
    private protected abstract void DescribeBack();

    /// <summary>The same for the frontend's directory.</summary>
    private protected abstract void DescribeFront();

    /// <summary>Names what the frontend's parameters are now; others mean another connection. Null where they are not complete.</summary>
    private protected abstract string? ReadParameters();

    /// <summary>Connects to the rings of <see cref="ReadParameters"/>. False when they are not what they should be.</summary>
    private protected abstract bool Connect();

    /// <summary>The channel to the frontend is there as well.</summary>
    private protected virtual void Start(HostChannel channel)
    {
    }

    /// <summary>Lets go of the rings, if there are any.</summary>
    private protected abstract void Disconnect();

    /// <summary>Works on the rings for a while. True when there is more to do.</summary>
    private protected abstract bool Serve();

    /// <summary>Lets go of what is behind the device.</summary>
    private protected abstract void LetGo();

    /// <summary>Tells the host's user, unless there was too much already.</summary>
    private protected void Report(string what)
    {
        if (reports < MaximumReports)
            Reporter(++reports == MaximumReports ? $"{what}; no more is told of this device" : what);
    }

    /// <summary>Writes a node of this end.</summary>
    private protected void Tell(string name, string value) => store.Set($"{BackPath}/{name}", value);

    /// <summary>Writes a number in a node of this end.</summary>
    private protected void Tell(string name, long value) => Tell(name, Text(value));

    /// <summary>Writes a node of the frontend's, when the device is made.</summary>
    private protected void Give(string name, string value) => store.Set($"{FrontPath}/{name}", value);

    /// <summary>A number that the frontend wrote, or null.</summary>
    private protected uint? Ask(string name) =>
        uint.TryParse(store.Get($"{FrontPath}/{name}"), NumberStyles.None, CultureInfo.InvariantCulture, out uint value) ? value : null;

    /// <summary>The frontend wrote 1.</summary>
    private protected bool Has(string feature) => Ask(feature) == 1;

    /// <summary>A text that the frontend wrote, or null.</summary>
    private protected string? AskText(string name) => store.Get($"{FrontPath}/{name}");

    private protected static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    // What the frontend's state asks for. True when it is closed.
    private bool Follow()
    {
        uint? written = Ask("state");
        XenbusState front = written is >= (uint)XenbusState.Initialising and <= (uint)XenbusState.Closed ? (XenbusState)written : XenbusState.Unknown;
        switch (front)
        {
            case XenbusState.Initialising:
                // A frontend that begins anew, also one that did not end before.
                if (state is XenbusState.Connected or XenbusState.Closing or XenbusState.Closed && !isLeaving)
                {
                    Unbind();
                    SetState(XenbusState.InitWait);
                }
                return isLeaving;
            case XenbusState.Initialised or XenbusState.Connected:
                bool isNew = state == XenbusState.Connected ? parameters != ReadParameters()
                    : state is XenbusState.InitWait or XenbusState.Closed && !isLeaving;
                if (isNew)
                    Bind();
                return false;
            case XenbusState.Closing:
                Unbind();
                SetState(XenbusState.Closing);
                return false;
            case XenbusState.Closed or XenbusState.Unknown:
                Unbind();
                SetState(XenbusState.Closed);
                return true;
            default:
                return false;
        }
    }

    private void Bind()
    {
        Unbind();
        parameters = ReadParameters();
        uint? port = Ask("event-channel");
        bool isBound = parameters != null && port != null && AskText("protocol") is null or "ia64-abi" && Connect();
        if (isBound)
            Channel = Domain.EventChannels.BindHost(DomainIds.Host, port!.Value, this);
        if (Channel != null)
        {
            Start(Channel);
            SetState(XenbusState.Connected);
            return;
        }
        Unbind();
        Report($"{Kind} {Number} of domain {Domain.Id} cannot be connected: its frontend's parameters ({parameters ?? "incomplete"}) are not usable");
        SetState(XenbusState.Closing);
    }

    private void Unbind()
    {
        Channel?.Close();
        Channel = null;
        Disconnect();
    }

    private void SetState(XenbusState next)
    {
        if (state == next)
            return;
        state = next;
        Tell("state", (int)next);
    }

    private sealed class StateWatch(BackendDevice device) : IEventSink
    {
        public void Signal()
        {
            Volatile.Write(ref device.hasNews, 1);
            device.Signal();
        }
    }
}
