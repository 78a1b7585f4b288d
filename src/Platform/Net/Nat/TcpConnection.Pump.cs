using System.Net.Sockets;

namespace FastXen.Platform.Net.Nat;

internal sealed partial class TcpConnection
{
    private const int ChunkBytes = 64 << 10;

    private bool sending;
    private bool receiving;
    private bool shutDown;

    // Starts whatever can move between the buffers and the socket. Under the lock.
    private void Pump()
    {
        if (phase != Phase.Open)
            return;
        if (!sending && (toHost.Count > 0 || (guestClosed && !shutDown)))
        {
            sending = true;
            _ = Send();
        }
        if (!receiving && !hostClosed && toGuest.Room > 0)
        {
            receiving = true;
            _ = Receive();
        }
    }

    private async Task Send()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the lock of the caller
        byte[] chunk = new byte[ChunkBytes];
        while (true)
        {
            int length;
            lock (owner.Gate)
            {
                length = Math.Min(toHost.Count, chunk.Length);
                if (phase != Phase.Open || length == 0)
                {
                    sending = false;
                    CloseSending();
                    return;
                }
                toHost.Peek(0, chunk.AsSpan(0, length));
            }
            int done;
            try
            {
                done = await socket.SendAsync(chunk.AsMemory(0, length)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Fail();
                return;
            }
            lock (owner.Gate)
            {
                toHost.Skip(done);
                // A window that was small is announced again when there is much room.
                bool small = advertisedEnd - expected < BufferBytes / 4;
                if (phase == Phase.Open && small && toHost.Room >= BufferBytes / 2)
                    Acknowledge();
            }
        }
    }

    // The guest has closed and the host has all of its data.
    private void CloseSending()
    {
        if (phase != Phase.Open || !guestClosed || shutDown)
            return;
        shutDown = true;
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            Abort();
            return;
        }
        FinishIfClosed();
    }

    private async Task Receive()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the lock of the caller
        byte[] chunk = new byte[ChunkBytes];
        while (true)
        {
            int room;
            lock (owner.Gate)
            {
                room = Math.Min(toGuest.Room, chunk.Length);
                if (phase != Phase.Open || room == 0)
                {
                    receiving = false;
                    return;
                }
            }
            int length;
            try
            {
                length = await socket.ReceiveAsync(chunk.AsMemory(0, room)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Fail();
                return;
            }
            lock (owner.Gate)
            {
                if (phase != Phase.Open)
                    return;
                toGuest.Append(chunk.AsSpan(0, length));
                hostClosed = length == 0;
                Output();
                if (hostClosed)
                    return;
            }
        }
    }

    private void Fail()
    {
        lock (owner.Gate)
        {
            if (phase is Phase.Open)
                Abort();
        }
    }
}
