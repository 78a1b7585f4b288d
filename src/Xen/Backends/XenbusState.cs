namespace FastXen.Xen.Backends;

/// <summary>How far an end of a device has come, as its node "state" says (public header io/xenbus.h).</summary>
public enum XenbusState
{
    /// <summary>There is no such node, or nothing that could be a state.</summary>
    Unknown = 0,

    /// <summary>The device was made.</summary>
    Initialising = 1,

    /// <summary>The backend waits for the frontend's parameters.</summary>
    InitWait = 2,

    /// <summary>The frontend has written its parameters.</summary>
    Initialised = 3,

    /// <summary>In use.</summary>
    Connected = 4,

    /// <summary>About to let go.</summary>
    Closing = 5,

    /// <summary>Not in use.</summary>
    Closed = 6,
}
