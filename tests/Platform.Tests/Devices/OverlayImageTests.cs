using FastXen.Platform.Block;

namespace FastXen.Platform.Tests.Devices;

public sealed class OverlayImageTests : IDisposable
{
    private const int Length = OverlayImage.BlockSize * 5 + 1024;
    private readonly string directory = Directory.CreateTempSubdirectory("fastxen-overlay").FullName;
    private readonly byte[] expected = new byte[Length];

    public OverlayImageTests()
    {
        new Random(7).NextBytes(expected);
        File.WriteAllBytes(Base, expected);
    }

    private string Base => Path.Combine(directory, "base.img");

    private string Overlay => Path.Combine(directory, "disk.overlay");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private OverlayImage Open(string? overlay = null) => OverlayImage.Open(overlay ?? Overlay, RawImage.Open(Base, readOnly: true));

    private static byte[] All(OverlayImage image)
    {
        var all = new byte[image.Length];
        image.Read(0, all);
        return all;
    }

    private void Write(OverlayImage image, long position, byte[] bytes)
    {
        image.Write(position, bytes);
        bytes.CopyTo(expected, position);
    }

    [Fact]
    public void WritesStayInTheOverlay()
    {
        byte[] original = [.. expected];
        var random = new Random(8);
        for (int round = 0; round < 4; round++)
        {
            using OverlayImage image = Open();
            Assert.Equal((Length, false), ((int)image.Length, image.IsReadOnly));
            Assert.Equal(expected, All(image));
            for (int i = 0; i < 12; i++)
            {
                var bytes = new byte[512 * random.Next(1, 200)];
                random.NextBytes(bytes);
                Write(image, random.Next((Length - bytes.Length) / 512 + 1) * 512L, bytes);
                if (i % 5 == 0)
                    image.Flush();
            }
            Assert.Equal(expected, All(image));
            Assert.InRange(image.WrittenBlocks, 1, 6);
        }
        Assert.Equal(original, File.ReadAllBytes(Base));
    }

    [Fact]
    public void OverlaysShareABase()
    {
        byte[] original = [.. expected];
        using OverlayImage one = Open(), two = Open(Overlay + "2");
        one.Write(0, new byte[512]);
        two.Write(0, Enumerable.Repeat((byte)1, 512).ToArray());
        Assert.Equal((0, 1, original[512]), (All(one)[0], All(two)[0], All(two)[512]));
        Assert.Throws<DeviceConfigurationException>(() => Open());
    }

    [Fact]
    public void WhatWasFlushedSurvivesACrashAndNothingElseIsDamaged()
    {
        var random = new Random(9);
        string crashed = Path.Combine(directory, "crashed");
        using OverlayImage image = Open();
        byte[] flushed = [.. expected];
        for (int i = 0; i < 40; i++)
        {
            var bytes = new byte[512];
            random.NextBytes(bytes);
            int block = random.Next(6), sector = block == 5 ? random.Next(2) : random.Next(128);
            Write(image, (long)block * OverlayImage.BlockSize + sector * 512, bytes);
            if (random.Next(4) == 0)
            {
                image.Flush();
                flushed = [.. expected];
            }
            // The file as the host has it now: every sector is as it was flushed, or as it was written since.
            CopyLocked(Overlay, crashed);
            using OverlayImage after = Open(crashed);
            byte[] found = All(after);
            for (int at = 0; at < Length; at += 512)
            {
                ReadOnlySpan<byte> sectorNow = found.AsSpan(at, 512);
                Assert.True(sectorNow.SequenceEqual(flushed.AsSpan(at, 512)) || sectorNow.SequenceEqual(expected.AsSpan(at, 512)));
            }
        }
    }

    [Fact]
    public void ABlockWithoutAnEntryIsUsedAgain()
    {
        string crashed = Path.Combine(directory, "crashed");
        using (OverlayImage image = Open())
        {
            image.Write(0, new byte[OverlayImage.BlockSize * 3]);
            CopyLocked(Overlay, crashed);
        }
        long length = new FileInfo(crashed).Length;
        using OverlayImage after = Open(crashed);
        Assert.Equal(0, after.WrittenBlocks);
        Assert.Equal(expected, All(after));
        after.Write(OverlayImage.BlockSize, new byte[512]);
        after.Flush();
        Assert.Equal(length, new FileInfo(crashed).Length);
    }

    [Theory]
    [InlineData(0, "is not an overlay")]
    [InlineData(8, "has version")]
    [InlineData(12, "damaged header")]
    [InlineData(16, "damaged header")]
    [InlineData(24, "damaged header")]
    [InlineData(32, "damaged header")]
    [InlineData(4098, "lies behind its end")]
    [InlineData(4100, "is used twice")]
    public void DamagedFilesAreRefused(int offset, string expectedText)
    {
        using (OverlayImage image = Open())
            image.Write(0, new byte[512]);
        byte[] bytes = File.ReadAllBytes(Overlay);
        bytes[offset] ^= 1;
        File.WriteAllBytes(Overlay, bytes);
        DeviceConfigurationException error = Assert.Throws<DeviceConfigurationException>(() => Open());
        Assert.Contains(expectedText, error.Message);
        Assert.Contains(Overlay, error.Message);
        // Nothing stays open.
        File.Delete(Overlay);
        Open().Dispose();
    }

    [Fact]
    public void AnotherBaseIsRefused()
    {
        Open().Dispose();
        File.WriteAllBytes(Base, new byte[512]);
        Assert.Contains("was made for a base of", Assert.Throws<DeviceConfigurationException>(() => Open()).Message);
    }

    [Fact]
    public void RandomHeadersDoNoHarm()
    {
        var random = new Random(11);
        Open().Dispose();
        byte[] good = File.ReadAllBytes(Overlay);
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = good[..random.Next(1, good.Length)];
            for (int n = random.Next(4); n >= 0; n--)
                bytes[random.Next(Math.Min(bytes.Length, random.Next(2) == 0 ? 40 : 4200))] = (byte)random.Next(256);
            File.WriteAllBytes(Overlay, bytes);
            try
            {
                using OverlayImage image = Open();
                All(image);
            }
            catch (DeviceConfigurationException)
            {
                // The usual outcome.
            }
        }
    }

    private static void CopyLocked(string from, string to)
    {
        // Our lock is advice that cp does not ask for.
        using System.Diagnostics.Process copy = System.Diagnostics.Process.Start("cp", [from, to]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }
}
