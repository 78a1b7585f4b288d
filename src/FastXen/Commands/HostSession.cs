using System.Runtime.InteropServices;
using FastXen.Control;
using FastXen.Loader.Hosting;

namespace FastXen.Commands;

/// <summary>A host in this process: its control socket, and the signals that end it.</summary>
internal sealed class HostSession : IAsyncDisposable
{
    /// <summary>What to say instead of a path for no control socket.</summary>
    public const string NoSocket = "none";

    /// <summary>Time that guests are given to shut down when the process is told to end, without <c>--grace</c>.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);

    private readonly TimeSpan _grace;
    private readonly CancellationTokenSource _atOnce = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _signals;
    private readonly ControlServer? _server;
    private int _signalCount;

    /// <summary>
    /// Begins to serve a host: at <paramref name="socket"/>, at the usual place (null), or not at all (<see cref="NoSocket"/>).
    /// </summary>
    public HostSession(Host host, string? socket, TimeSpan grace, bool socketRequired)
    {
        Host = host;
        _grace = grace;
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Obey(context, 1)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Obey(context, 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Obey(context, 3)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Obey(context, 15)),
        ];
        if (socket == NoSocket) return;
        try
        {
            _server = ControlServer.Start(host, socket);
        }
        catch (ControlException e) when (socket is null && !socketRequired)
        {
            // A guest can do without being controlled.
            host.Log.Write($"no control socket: {e.Message}");
        }
    }

    /// <summary>The host.</summary>
    public Host Host { get; }

    /// <summary>The control socket, where there is one.</summary>
    public string? Socket => _server?.Path;

    /// <summary>Number of the signal that asked the process to end, or 0.</summary>
    public int Signal { get; private set; }

    /// <summary>Completes when the process was told to end and all guests are gone.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Completes when no domain is left.</summary>
    public async Task WaitForAllAsync()
    {
        while (Host.Domains is { Count: > 0 } domains) await Task.WhenAll(domains.Select(static domain => domain.Ended)).ConfigureAwait(false);
    }

    /// <summary>Stops all guests at once: a part of the session could not be started.</summary>
    public Task AbandonAsync() => Host.StopAsync(TimeSpan.Zero, new CancellationToken(canceled: true));

    // The first signal asks the guests, the second one pulls their plugs, the third one ends the process as signals do.
    private void Obey(PosixSignalContext context, int number)
    {
        int count = Interlocked.Increment(ref _signalCount);
        context.Cancel = count <= 2;
        if (count == 1)
        {
            Signal = number;
            _ = StopAsync();
        }
        else
        {
            _atOnce.Cancel();
        }
    }

    private async Task StopAsync()
    {
        await Host.StopAsync(_grace, _atOnce.Token).ConfigureAwait(false);
        _stopped.TrySetResult();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (PosixSignalRegistration signal in _signals) signal.Dispose();
        if (_server is not null) await _server.DisposeAsync().ConfigureAwait(false);
        _atOnce.Dispose();
    }
}
